#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "core/key.h"
#include "devices/host/toolchain.h"
#include "runtime/host/elf_image.h"
#include "runtime/host/instruction_set.h"
#include "runtime/host/thread_pool.h"
#include "runtime/kernel.h"
#include "tests/runtime/small_kernel.h"

namespace kiln::devices {
namespace {

using Catch::Contains;
using test::SmallKernels;
using namespace std::chrono_literals;

void write_script(const std::string& path, const std::string& body) {
  std::ofstream(path) << "#!/bin/sh\n" << body << "\n";
  REQUIRE(chmod(path.c_str(), 0700) == 0);
}

// Answers --version as clang does; `body` runs for everything else.
std::string fake_compiler(const SmallKernels& kernels, const std::string& body) {
  const std::string path = kernels.directory() + "/fake-clang";
  write_script(path,
               "if [ \"$1\" = --version ]; then echo 'clang version 19.1.7'; exit 0; fi\n" + body);
  return path;
}

Status compile_with(const SmallKernels& kernels, const std::string& compiler,
                    const CompileOptions& options = {}) {
  return kernels.open("host:baseline", compiler)->compile(SmallKernels::scale(2), options).status();
}

TEST_CASE("A kernel is compiled, loaded and run") {
  SmallKernels kernels;
  const Artifact artifact = kernels.compile(SmallKernels::scale(3));
  CHECK(artifact.hash == digest(artifact.bytes));
  CHECK(artifact.target_kind == "host");
  CHECK(artifact.architecture == "baseline");
  CHECK_THAT(artifact.toolchain, Catch::StartsWith("clang "));

  auto kernel = runtime::Kernel::load(artifact, test::scale_plan());
  INFO(kernel.status());
  REQUIRE(kernel.ok());
  const int64_t n = 100;
  auto dispatch = (*kernel)->prepare({&n, 1}, {});
  REQUIRE(dispatch.ok());
  std::vector<float> x(100, 2.0f), y(100);
  const runtime::Tensor tensors[] = {{x.data(), nullptr}, {y.data(), nullptr}};
  runtime::ThreadPool pool(2);
  REQUIRE(dispatch->launch(tensors, nullptr, pool).ok());
  CHECK(y == std::vector<float>(100, 6.0f));
}

TEST_CASE("An artifact exports the two symbols of the contract and nothing else") {
  SmallKernels kernels;
  const Artifact artifact = kernels.compile(SmallKernels::scale(3));
  auto image = runtime::ElfImage::check(artifact.bytes);
  REQUIRE(image.ok());
  std::vector<std::string> exports = image->exports();
  std::sort(exports.begin(), exports.end());
  CHECK(exports == std::vector<std::string>{"kiln_host_blocks_v1", "kiln_host_info_v1"});
}

TEST_CASE("Every instruction set compiles, those that this processor lacks too") {
  SmallKernels kernels;
  for (const char* set : {"baseline", "avx2", "avx512", "avx512bf16"}) {
    INFO(set);
    const Artifact artifact = kernels.compile(SmallKernels::scale(3), std::string("host:") + set);
    CHECK(artifact.architecture == set);
    auto kernel = runtime::Kernel::load(artifact, test::scale_plan());
    if (runtime::can_run(*runtime::parse_instruction_set(set))) {
      CHECK(kernel.ok());
    } else {
      CHECK_THAT(std::string(kernel.status().message()), Contains("this processor runs"));
    }
  }
}

TEST_CASE("A compiler's complaint comes back without the names of our folders") {
  SmallKernels kernels;
  kernels.add("scale/kernel.h", "struct Scale { broken };\n");
  StatusOr<Artifact> artifact = kernels.open()->compile(SmallKernels::scale(2), {});
  CHECK(artifact.status().code() == absl::StatusCode::kFailedPrecondition);
  const std::string message(artifact.status().message());
  CHECK_THAT(message, Contains("scale/kernel.h:1:16: error"));
  CHECK_THAT(message, !Contains(kernels.directory()));
}

TEST_CASE("Diagnostics are cut at 4 KiB") {
  SmallKernels kernels;
  const std::string compiler = fake_compiler(
      kernels, "i=0; while [ $i -lt 2000 ]; do echo 'error: again'; i=$((i+1)); done; exit 1");
  const Status status = compile_with(kernels, compiler);
  CHECK(status.code() == absl::StatusCode::kFailedPrecondition);
  CHECK(status.message().size() < 4200);
}

TEST_CASE("A missing compiler is named with the remedy") {
  SmallKernels kernels;
  auto device = kernels.open("host:baseline", "/nowhere/clang++");
  CHECK(device->toolchain().status().code() == absl::StatusCode::kUnavailable);
  const Status status = device->compile(SmallKernels::scale(2), {}).status();
  CHECK(status.code() == absl::StatusCode::kUnavailable);
  CHECK_THAT(std::string(status.message()), Contains("/nowhere/clang++") && Contains("clang-19"));
}

TEST_CASE("A program that is no clang is refused") {
  SmallKernels kernels;
  const std::string path = kernels.directory() + "/gcc";
  write_script(path, "echo 'g++ (Debian) 12.2.0'");
  CHECK(kernels.open("host", path)->toolchain().status().code() == absl::StatusCode::kUnavailable);
  write_script(path, "echo 'clang version 11.0.1-2'");
  CHECK_THAT(std::string(kernels.open("host", path)->toolchain().status().message()),
             Contains("clang 11.0.1") && Contains("clang 17 or newer"));
}

TEST_CASE("A compiler that crashes costs an error") {
  SmallKernels kernels;
  const Status status = compile_with(kernels, fake_compiler(kernels, "kill -SEGV $$"));
  CHECK(status.code() == absl::StatusCode::kFailedPrecondition);
  CHECK_THAT(std::string(status.message()), Contains("crashed"));
}

TEST_CASE("A compiler that hangs is killed with its descendants") {
  SmallKernels kernels;
  const std::string mark = kernels.directory() + "/survived";
  const std::string compiler = fake_compiler(kernels, "(sleep 2; touch " + mark + ") & sleep 60");
  const Status status = compile_with(kernels, compiler, {.cpu_limit = 50ms});
  CHECK(status.code() == absl::StatusCode::kDeadlineExceeded);
  std::this_thread::sleep_for(2200ms);
  CHECK_FALSE(std::filesystem::exists(mark));
}

TEST_CASE("A compiler that burns time is stopped at its CPU limit") {
  SmallKernels kernels;
  const std::string compiler = fake_compiler(kernels, "while :; do :; done");
  const Status status = compile_with(kernels, compiler, {.cpu_limit = 400ms});
  CHECK(status.code() == absl::StatusCode::kDeadlineExceeded);
}

TEST_CASE("A compiler that is short of memory says so") {
  SmallKernels kernels;
  const Status status = compile_with(kernels, "", {.memory_limit = 150 << 20});
  INFO(status);
  CHECK((status.code() == absl::StatusCode::kResourceExhausted ||
         status.code() == absl::StatusCode::kFailedPrecondition));
}

TEST_CASE("A compilation ends soon after it is stopped") {
  SmallKernels kernels;
  auto device = kernels.open("host:baseline", fake_compiler(kernels, "sleep 60"));
  std::stop_source stop;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(100ms);
    stop.request_stop();
  });
  const auto start = std::chrono::steady_clock::now();
  const Status status =
      device->compile(SmallKernels::scale(2), {.stop = stop.get_token()}).status();
  CHECK(status.code() == absl::StatusCode::kCancelled);
  CHECK(std::chrono::steady_clock::now() - start < 30s);
}

TEST_CASE("An undefined symbol fails the compilation and is named") {
  SmallKernels kernels;
  kernels.add("scale/kernel.h", std::string("extern \"C\" float sinf(float);\n") +
                                    R"(struct Scale {
  static constexpr const char* name = "scale";
  static constexpr KilnU32 slots = 4, scratch = 0;
  template <class> static void run(const KilnHostLaunch& l, KilnI64, void*) {
    *(float*)l.slots[2] = sinf(*(const float*)l.slots[0]);
  }
};)");
  StatusOr<Artifact> artifact = kernels.open()->compile(SmallKernels::scale(2), {});
  CHECK(artifact.status().code() == absl::StatusCode::kFailedPrecondition);
  CHECK_THAT(std::string(artifact.status().message()), Contains("sinf"));
}

TEST_CASE("System headers are out of a kernel's reach") {
  SmallKernels kernels;
  kernels.add("scale/kernel.h", "#include <stdint.h>\n");
  StatusOr<Artifact> artifact = kernels.open()->compile(SmallKernels::scale(2), {});
  CHECK_THAT(std::string(artifact.status().message()), Contains("stdint.h"));
}

TEST_CASE("Text that could break out of a translation unit is refused") {
  SmallKernels kernels;
  auto device = kernels.open();
  KernelSource source = SmallKernels::scale(2);
  source.config[0].value = "2; }; extern int x";
  CHECK(device->compile(source, {}).status().code() == absl::StatusCode::kInvalidArgument);
  source = SmallKernels::scale(2);
  source.header = "../secret.h";
  CHECK(device->compile(source, {}).status().code() == absl::StatusCode::kInvalidArgument);
}

TEST_CASE("Work folders are gone after good and bad compilations") {
  SmallKernels kernels;
  kernels.compile(SmallKernels::scale(2));
  (void)compile_with(kernels, fake_compiler(kernels, "exit 1"));
  CHECK(std::filesystem::is_empty(kernels.cache() + "/work"));
}

TEST_CASE("Many threads compile at once") {
  SmallKernels kernels;
  auto device = kernels.open();
  std::vector<Status> results(4);
  {
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < results.size(); ++i) {
      threads.emplace_back(
          [&, i] { results[i] = device->compile(SmallKernels::scale(int(i)), {}).status(); });
    }
  }
  for (const Status& status : results)
    CHECK(status.ok());
}

}  // namespace
}  // namespace kiln::devices
