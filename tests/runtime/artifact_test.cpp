#include <elf.h>

#include <cstring>

#include "core/key.h"
#include "runtime/host/elf_image.h"
#include "runtime/host/instruction_set.h"
#include "runtime/host/thread_pool.h"
#include "runtime/kernel.h"
#include "tests/runtime/small_kernel.h"

namespace kiln::runtime {
namespace {

using Catch::Contains;
using test::scale_plan;
using test::SmallKernels;

const Artifact& good_artifact() {
  static const Artifact artifact = SmallKernels().compile(SmallKernels::scale(3));
  return artifact;
}

// The good artifact with other bytes and a hash that fits them: the hash hides nothing.
Artifact with_bytes(std::string bytes) {
  Artifact artifact = good_artifact();
  artifact.bytes = std::move(bytes);
  artifact.hash = digest(artifact.bytes);
  return artifact;
}

std::string failure(const Artifact& artifact, const Plan& plan = scale_plan()) {
  const Status status = Kernel::load(artifact, plan).status();
  CHECK_FALSE(status.ok());
  return std::string(status.message());
}

TEST_CASE("A kernel keeps its code while a dispatch lives") {
  auto kernel = Kernel::load(good_artifact(), scale_plan());
  REQUIRE(kernel.ok());
  const int64_t n = 8;
  auto dispatch = (*kernel)->prepare({&n, 1}, {});
  REQUIRE(dispatch.ok());
  kernel->reset();
  std::vector<float> x(8, 1.0f), y(8);
  const Tensor tensors[] = {{x.data(), nullptr}, {y.data(), nullptr}};
  REQUIRE(dispatch->launch(tensors, nullptr, ThreadPool::shared()).ok());
  CHECK(y[7] == 3.0f);
}

TEST_CASE("Kernels of different code live side by side and go away") {
  const Artifact by_five = SmallKernels().compile(SmallKernels::scale(5));
  for (int round = 0; round < 50; ++round) {
    auto three = Kernel::load(good_artifact(), scale_plan());
    auto five = Kernel::load(by_five, scale_plan());
    REQUIRE((three.ok() && five.ok()));
    float x = 1.0f, y3 = 0, y5 = 0;
    const int64_t n = 1;
    const Tensor to_y3[] = {{&x, nullptr}, {&y3, nullptr}},
                 to_y5[] = {{&x, nullptr}, {&y5, nullptr}};
    REQUIRE((*three)->prepare({&n, 1}, {})->launch(to_y3, nullptr, ThreadPool::shared()).ok());
    REQUIRE((*five)->prepare({&n, 1}, {})->launch(to_y5, nullptr, ThreadPool::shared()).ok());
    CHECK(y3 == 3.0f);
    CHECK(y5 == 5.0f);
  }
  // Unloaded code is not mapped any more.
  CHECK_THAT(test::read_text("/proc/self/maps"), !Contains("kiln-kernel"));
}

TEST_CASE("Flipped bits are noticed by the hash") {
  for (size_t at = 0; at < good_artifact().bytes.size(); at += 97) {
    Artifact artifact = good_artifact();
    artifact.bytes[at] ^= char(1 << at % 8);
    CHECK_THAT(failure(artifact), Contains("damaged"));
  }
}

TEST_CASE("A file cut off anywhere is refused, even with a hash that fits") {
  const std::string& bytes = good_artifact().bytes;
  // What the loader maps and reads ends before the section headers do.
  for (size_t length = 0; length < bytes.size(); length += length < 1024 ? 7 : 251) {
    INFO("length " << length);
    const Status status = Kernel::load(with_bytes(bytes.substr(0, length)), scale_plan()).status();
    if (!ElfImage::check(bytes.substr(0, length)).ok()) CHECK_FALSE(status.ok());
    if (length < 4096) CHECK_FALSE(status.ok());
  }
}

TEST_CASE("Damaged tables of a shared object are refused or harmless to look at") {
  const std::string& bytes = good_artifact().bytes;
  // Every byte of the headers and of the loader's tables, which lie in the first page.
  for (size_t at = 0; at < 1024; ++at) {
    for (int flip : {0x01, 0x80, 0xff}) {
      std::string damaged = bytes;
      damaged[at] = char(damaged[at] ^ flip);
      (void)ElfImage::check(damaged);
    }
  }
  // The dynamic section decides what the loader does: every byte of it, in full.
  Elf64_Ehdr header;
  std::memcpy(&header, bytes.data(), sizeof header);
  for (int i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    std::memcpy(&segment, bytes.data() + header.e_phoff + size_t(i) * sizeof segment,
                sizeof segment);
    if (segment.p_type != PT_DYNAMIC) continue;
    for (size_t at = segment.p_offset; at < segment.p_offset + segment.p_filesz; ++at) {
      for (int value = 0; value < 256; ++value) {
        std::string damaged = bytes;
        damaged[at] = char(value);
        (void)ElfImage::check(damaged);
      }
    }
  }
}

TEST_CASE("What is no shared object of this machine is refused") {
  CHECK_THAT(failure(with_bytes("")), Contains("no ELF file"));
  CHECK_THAT(failure(with_bytes("#!/bin/sh\nexit\n")), Contains("no ELF file"));
  CHECK_THAT(failure(with_bytes(test::read_text("/proc/self/exe"))), Contains("kernel"));
  std::string other = good_artifact().bytes;
  other[18] = 40;  // ARM
  CHECK_THAT(failure(with_bytes(other)), Contains("another machine"));
}

TEST_CASE("What an artifact is said to be must be what it is") {
  Artifact artifact = good_artifact();
  artifact.target_kind = "abacus";
  CHECK_THAT(failure(artifact), Contains("target_kind"));
  artifact = good_artifact();
  artifact.architecture = "sm_90";
  CHECK_THAT(failure(artifact), Contains("instruction set"));
  if (can_run(InstructionSet::kAvx2)) {
    artifact.architecture = "avx2";
    CHECK_THAT(failure(artifact), Contains("compiled for instruction set baseline"));
  }
}

TEST_CASE("A plan must fit its artifact") {
  Plan plan = scale_plan();
  std::get<Launch>(plan.steps[0]).entry = "shear";
  CHECK_THAT(failure(good_artifact(), plan), Contains("shear") && Contains("scale"));
  plan = scale_plan();
  std::get<Launch>(plan.steps[0]).arguments.push_back({Argument::Kind::kSize, "n"});
  CHECK_THAT(failure(good_artifact(), plan), Contains("5 argument slots") && Contains("takes 4"));
  plan = scale_plan();
  plan.buffers[0].shape = {"m"};
  CHECK_THAT(failure(good_artifact(), plan), Contains("plan.buffers[0]"));
}

// Artifacts whose lowering says wrong things about itself.
std::string refusal(const std::string& from, const std::string& to) {
  SmallKernels kernels;
  std::string lowering = test::kSmallLowering;
  const size_t at = lowering.find(from);
  REQUIRE(at != std::string::npos);
  kernels.add("tile/host.h", lowering.replace(at, from.size(), to));
  StatusOr<Artifact> artifact = kernels.open()->compile(SmallKernels::scale(3), {});
  return artifact.ok() ? failure(*artifact) : std::string(artifact.status().message());
}

TEST_CASE("Lies of an artifact about itself are found") {
  CHECK_THAT(refusal("{kKilnHostAbiVersion, ", "{2, "), Contains("version 2 of the host ABI"));
  CHECK_THAT(refusal("sizeof...(Entries), kEntries", "1000, kEntries"), Contains("entries"));
  CHECK_THAT(refusal("sizeof...(Entries), kEntries", "1, (const KilnHostEntry*)8"),
             Contains("entries"));
  CHECK_THAT(refusal("Entries::scratch, 4096", "Entries::scratch, 1 << 30"), Contains("stack"));
  CHECK_THAT(refusal("Entries::scratch, 4096", "4000000000u, 4096"), Contains("scratch"));
  CHECK_THAT(refusal("{Entries::name,", "{(const char*)-1,"), Contains("without a name"));
  CHECK_THAT(refusal("return &Small<__VA_ARGS__>::kInfo;", "return (const KilnHostInfo*)4096;"),
             Contains("outside the object"));
  CHECK_THAT(refusal("kiln_host_info_v1", "kiln_host_info_v7"), Contains("kiln_host_info_v1"));
}

TEST_CASE("Code that would run when loaded is refused") {
  SmallKernels kernels;
  kernels.add("scale/kernel.h", std::string(test::kScaleKernel) +
                                    "volatile int counter;\n__attribute__((constructor)) static "
                                    "void start() { ++counter; }\n");
  StatusOr<Artifact> artifact = kernels.open()->compile(SmallKernels::scale(3), {});
  CHECK_THAT(std::string(artifact.status().message()), Contains("runs code when loaded"));
}

TEST_CASE("Thread-local variables are refused") {
  SmallKernels kernels;
  kernels.add(
      "scale/kernel.h",
      std::string(test::kScaleKernel) +
          "__attribute__((tls_model(\"initial-exec\"), used)) static __thread int counter = 1;\n");
  StatusOr<Artifact> artifact = kernels.open()->compile(SmallKernels::scale(3), {});
  CHECK_THAT(std::string(artifact.status().message()), Contains("thread-local"));
}

TEST_CASE("Instruction sets have names, and the weakest runs everywhere") {
  for (const char* name : {"baseline", "avx2", "avx512", "avx512bf16"}) {
    auto set = parse_instruction_set(name);
    REQUIRE(set);
    CHECK(name_of(*set) == name);
    CHECK(can_run(*set) == (*set <= best_instruction_set()));
  }
  CHECK_FALSE(parse_instruction_set("AVX2"));
  CHECK(can_run(InstructionSet::kBaseline));
}

}  // namespace
}  // namespace kiln::runtime
