#include "runtime/gpu/gpu_kernel.h"

#include <dlfcn.h>

#include "core/key.h"
#include "runtime/gpu/driver.h"
#include "runtime/host/thread_pool.h"
#include "tests/runtime/small_kernel.h"

namespace kiln::runtime {
namespace {

using Catch::Contains;

// The tests' driver in this process, under the name by which the real one is opened.
class Shim {
 public:
  Shim() {
    const std::string path = std::string(KILN_BINARY_DIRECTORY) + "/tests/shims/works/libcuda.so.1";
    void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    INFO(path);
    REQUIRE(library);
    fault_ = static_cast<int*>(dlsym(library, "kiln_shim_fault"));
    REQUIRE(fault_);
    auto opened = open_gpu_driver("cuda");
    INFO(opened.status());
    REQUIRE(opened.ok());
    driver_ = *std::move(opened);
    REQUIRE(driver_->use(0).ok());
  }
  ~Shim() { *fault_ = 0; }

  GpuDriver& driver() { return *driver_; }
  void lose_device() { *fault_ = 4; }

 private:
  int* fault_;
  std::unique_ptr<GpuDriver> driver_;
};

Artifact module_of(const std::string& factor) {
  return {.bytes = factor,
          .hash = digest(factor),
          .target_kind = "cuda",
          .architecture = "sm_80",
          .code_identity = "",
          .toolchain = ""};
}

// y = factor x over `n` elements, by way of device memory.
struct Launched {
  Status status;
  std::vector<float> y;
};
Launched scale(Shim& shim, const std::string& factor, int64_t n) {
  GpuDriver& driver = shim.driver();
  auto kernel = GpuKernel::load(driver, module_of(factor), test::scale_plan());
  INFO(kernel.status());
  REQUIRE(kernel.ok());
  auto dispatch = (*kernel)->prepare({&n, 1}, {});
  REQUIRE(dispatch.ok());
  std::vector<float> x(static_cast<size_t>(n), 2.0f), y(x);
  const int64_t bytes = n * int64_t(sizeof(float));
  const GpuDriver::Address in = *driver.allocate(bytes), out = *driver.allocate(bytes);
  REQUIRE(driver.upload(in, x.data(), bytes).ok());
  const Tensor tensors[] = {{reinterpret_cast<void*>(in), nullptr},
                            {reinterpret_cast<void*>(out), nullptr}};
  ThreadPool pool(1);
  Status status = dispatch->launch(tensors, nullptr, pool);
  if (status.ok()) status = driver.synchronize();
  if (status.ok()) status = driver.download(y.data(), out, bytes);
  driver.free(in);
  driver.free(out);
  return {status, y};
}

TEST_CASE("A kernel runs through the driver on device memory") {
  Shim shim;
  const Launched launched = scale(shim, "3", 100);
  REQUIRE(launched.status.ok());
  CHECK(launched.y == std::vector<float>(100, 6.0f));
}

TEST_CASE("What a GPU cannot run is refused before it reaches the device") {
  Shim shim;
  Artifact damaged = module_of("3");
  damaged.hash = "0";
  CHECK(GpuKernel::load(shim.driver(), damaged, test::scale_plan()).status().code() ==
        absl::StatusCode::kFailedPrecondition);
  Plan plan = test::scale_plan();
  std::get<Launch>(plan.steps[0]).entry = "unknown";
  auto kernel = GpuKernel::load(shim.driver(), module_of("3"), plan);
  REQUIRE(kernel.ok());
  const int64_t n = 4;
  CHECK_THAT(std::string((*kernel)->prepare({&n, 1}, {}).status().message()), Contains("unknown"));
  plan = test::scale_plan();
  std::get<Launch>(plan.steps[0]).grid = {"1", "1", "n * 100000"};
  kernel = GpuKernel::load(shim.driver(), module_of("3"), plan);
  REQUIRE(kernel.ok());
  auto dispatch = (*kernel)->prepare({&n, 1}, {});
  REQUIRE(dispatch.ok());
  float x[4] = {}, y[4] = {};
  const Tensor tensors[] = {{x, nullptr}, {y, nullptr}};
  ThreadPool pool(1);
  CHECK(dispatch->launch(tensors, nullptr, pool).code() == absl::StatusCode::kOutOfRange);
  CHECK_FALSE(dispatch->launch({tensors, 1}, nullptr, pool).ok());
}

TEST_CASE("Events give the device's time") {
  Shim shim;
  GpuDriver& driver = shim.driver();
  const auto stream = driver.make_stream();
  const auto first = driver.make_event(), second = driver.make_event();
  REQUIRE(stream.ok());
  REQUIRE(first.ok());
  REQUIRE(second.ok());
  REQUIRE(driver.record(*first, *stream).ok());
  REQUIRE(driver.record(*second, *stream).ok());
  const auto elapsed = driver.elapsed_ns(*first, *second);
  REQUIRE(elapsed.ok());
  CHECK(*elapsed >= 0);
}

TEST_CASE("A captured graph runs nothing until it is replayed, and then all of it") {
  Shim shim;
  GpuDriver& driver = shim.driver();
  const auto stream = driver.make_stream();
  const auto memory = driver.allocate(8);
  REQUIRE(stream.ok());
  REQUIRE(memory.ok());
  REQUIRE(driver.fill(*memory, 1, 8, *stream).ok());
  const auto graph = driver.capture(*stream, [&] {
    KILN_RETURN_IF_ERROR(driver.fill(*memory, 2, 4, *stream));
    return driver.copy(*memory + 4, *memory, 4, *stream);
  });
  REQUIRE(graph.ok());
  const auto content = [&] {
    std::vector<uint8_t> bytes(8);
    REQUIRE(driver.synchronize(*stream).ok());
    REQUIRE(driver.download(bytes.data(), *memory, 8).ok());
    return bytes;
  };
  CHECK(content() == std::vector<uint8_t>(8, 1));
  REQUIRE(driver.replay(*graph, *stream).ok());
  CHECK(content() == std::vector<uint8_t>(8, 2));
  driver.drop(*graph);
  driver.free(*memory);
}

TEST_CASE("A loaded kernel is enqueued on the caller's stream") {
  Shim shim;
  auto kernel = Kernel::load(module_of("5"), test::scale_plan());
  INFO(kernel.status());
  REQUIRE(kernel.ok());
  CHECK((*kernel)->runs_on_gpu());
  const int64_t n = 3;
  auto dispatch = (*kernel)->prepare({&n, 1}, {});
  REQUIRE(dispatch.ok());
  float x[] = {1, 2, 3}, y[3] = {};
  const Tensor tensors[] = {{x, nullptr}, {y, nullptr}};  // the tests' device memory
  auto stream = shim.driver().make_stream();
  REQUIRE(stream.ok());
  REQUIRE(dispatch->enqueue(tensors, nullptr, *stream).ok());
  REQUIRE(shim.driver().synchronize(*stream).ok());
  CHECK(y[2] == 15);
}

TEST_CASE("Too little memory is told apart from other failures") {
  Shim shim;
  CHECK(shim.driver().allocate(int64_t{1} << 50).status().code() ==
        absl::StatusCode::kResourceExhausted);
}

// Last: nothing more works on a lost device in this process.
TEST_CASE("A device that is lost during a launch is said at the next call that waits") {
  Shim shim;
  shim.lose_device();
  const Launched launched = scale(shim, "3", 100);
  CHECK(launched.status.code() == absl::StatusCode::kAborted);
  CHECK_THAT(std::string(launched.status.message()), Contains("lost"));
}

}  // namespace
}  // namespace kiln::runtime
