#include <atomic>
#include <cstdlib>
#include <new>
#include <vector>

#include "core/sanitizers.h"
#include "runtime/host/thread_pool.h"
#include "runtime/kernel.h"
#include "tests/runtime/small_kernel.h"

namespace {
std::atomic<int64_t> allocations{0};
}

// Every allocation of this program is counted, so that a launch can prove to make none. Sanitizers
// bring an operator new of their own; under them nothing is counted and nothing proved.
#if !KILN_ADDRESS_SANITIZER && !KILN_THREAD_SANITIZER
void* operator new(size_t bytes) {
  ++allocations;
  if (void* memory = std::malloc(bytes ? bytes : 1)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, size_t) noexcept {
  std::free(memory);
}
#endif

namespace kiln::runtime {
namespace {

using Catch::Contains;
using test::scale_plan;
using test::SmallKernels;

constexpr const char* kStepsKernel = R"(
#pragma once
// counts[b] = b % 3
struct Count {
  static constexpr const char* name = "count";
  static constexpr KilnU32 slots = 2, scratch = 0;
  template <class> static void run(const KilnHostLaunch& l, KilnI64 b, void*) {
    ((KilnI64*)l.slots[0])[b] = b % 3;
  }
};
// y[b] = value + extra
struct Mark {
  static constexpr const char* name = "mark";
  static constexpr KilnU32 slots = 4, scratch = 0;
  template <class> static void run(const KilnHostLaunch& l, KilnI64 b, void*) {
    double value;
    __builtin_memcpy(&value, &l.slots[2], 8);
    ((float*)l.slots[0])[b * (KilnI64)l.slots[1]] = float(value) + float((KilnI64)l.slots[3]);
  }
};
// y[b] = b, by way of memory that only this worker has, and of scratch
struct Own {
  static constexpr const char* name = "own";
  static constexpr KilnU32 slots = 4, scratch = 100;
  template <class> static void run(const KilnHostLaunch& l, KilnI64 b, void* scratch) {
    volatile float* own = (volatile float*)l.slots[2];
    volatile float* more = (volatile float*)scratch;
    for (int i = 0; i < 20; ++i) { own[i % 4] = float(b); more[i] = float(b); }
    ((float*)l.slots[0])[b] = own[3] == more[19] ? own[1] : -1.0f;
  }
};
)";

const Artifact& steps_artifact() {
  static const Artifact artifact = [] {
    SmallKernels kernels;
    kernels.add("steps/kernel.h", kStepsKernel);
    return kernels.compile(
        {.header = "steps/kernel.h", .config = {}, .entries = {"Count", "Mark", "Own"}});
  }();
  return artifact;
}

Buffer buffer(std::string name, Dtype dtype, std::vector<std::string> shape, Buffer::Kind kind) {
  Buffer result;
  result.name = std::move(name);
  result.dtype = dtype;
  result.shape = std::move(shape);
  result.kind = kind;
  return result;
}

Launch launch(std::string entry, std::string grid, std::vector<Argument> arguments,
              std::vector<std::string> writes) {
  Launch result;
  result.entry = std::move(entry);
  result.grid = {std::move(grid), "1", "1"};
  result.arguments = std::move(arguments);
  result.writes = std::move(writes);
  return result;
}

constexpr auto kTensor = Argument::Kind::kTensor;
constexpr auto kSize = Argument::Kind::kSize;
constexpr auto kScalar = Argument::Kind::kScalar;

// Counts, sums up, reads the sum, and marks as many elements of y as it says.
Plan counting_plan() {
  Plan plan;
  plan.symbols = {{"n", 0, 1000}};
  plan.scalars = {"value"};
  plan.buffers = {buffer("y", Dtype::kF32, {"3 * n"}, Buffer::Kind::kOutput),
                  buffer("counts", Dtype::kI64, {"n + 1"}, Buffer::Kind::kTemporary)};
  plan.buffers[1].initial = Buffer::Initial::kZero;
  plan.steps = {
      Fill{"y", 0}, launch("count", "n", {{kTensor, "counts"}}, {"counts"}), Scan{"counts"},
      Read{"counts", "n", "total"},
      launch("mark", "total", {{kTensor, "y"}, {kScalar, "value"}, {kSize, "total - n"}}, {"y"})};
  return plan;
}

Plan own_plan() {
  Plan plan;
  plan.symbols = {{"n", 0, 100000}};
  plan.buffers = {buffer("y", Dtype::kF32, {"n"}, Buffer::Kind::kOutput),
                  buffer("own", Dtype::kF32, {"4"}, Buffer::Kind::kPerWorker)};
  plan.steps = {launch("own", "n", {{kTensor, "y"}, {kTensor, "own"}}, {"y"})};
  return plan;
}

// A workspace of the right size, poisoned and fenced.
class Workspace {
 public:
  Workspace(const Dispatch& dispatch, int workers)
      : bytes_(size_t(dispatch.workspace_bytes(workers))), memory_(bytes_ + 128, '\x7f') {}
  void* address() {
    return reinterpret_cast<void*>((reinterpret_cast<uintptr_t>(memory_.data()) + 63) &
                                   ~uintptr_t{63});
  }
  bool fence_holds() {
    const char* end = static_cast<char*>(address()) + bytes_;
    for (; end < memory_.data() + memory_.size(); ++end) {
      if (*end != '\x7f') return false;
    }
    return true;
  }

 private:
  size_t bytes_;
  std::vector<char> memory_;
};

Dispatch prepare(const Artifact& artifact, const Plan& plan, int64_t n,
                 std::vector<double> scalars = {}) {
  auto kernel = Kernel::load(artifact, plan);
  INFO(kernel.status());
  REQUIRE(kernel.ok());
  auto dispatch = (*kernel)->prepare({&n, 1}, scalars);
  INFO(dispatch.status());
  REQUIRE(dispatch.ok());
  return *dispatch;
}

const Artifact& scale_artifact() {
  static const Artifact artifact = SmallKernels().compile(SmallKernels::scale(3));
  return artifact;
}

TEST_CASE("Steps count, scan, read back and launch what was read") {
  for (int64_t n : {0, 1, 2, 3, 100, 1000}) {
    INFO("n " << n);
    ThreadPool pool(2);
    const Dispatch dispatch = prepare(steps_artifact(), counting_plan(), n, {0.5});
    Workspace workspace(dispatch, 2);
    std::vector<float> y(size_t(3 * n), 9.0f);
    const Tensor tensors[] = {{y.data(), nullptr}};
    for (int round = 0; round < 3; ++round) {
      const Status status = dispatch.launch(tensors, workspace.address(), pool);
      INFO(status);
      REQUIRE(status.ok());
      int64_t total = 0;
      for (int64_t b = 0; b < n; ++b)
        total += b % 3;
      for (int64_t i = 0; i < 3 * n; ++i) {
        CHECK(y[size_t(i)] == (i < total ? 0.5f + float(total - n) : 0.0f));
      }
      CHECK(workspace.fence_holds());
    }
  }
}

TEST_CASE("Workers have buffers and scratch of their own") {
  for (int workers : {1, 2, 5}) {
    ThreadPool pool(workers);
    const Dispatch dispatch = prepare(steps_artifact(), own_plan(), 20000);
    CHECK(dispatch.workspace_bytes(workers) == workers * (64 + 128));
    Workspace workspace(dispatch, workers);
    std::vector<float> y(20000);
    const Tensor tensors[] = {{y.data(), nullptr}};
    REQUIRE(dispatch.launch(tensors, workspace.address(), pool).ok());
    bool good = true;
    for (size_t i = 0; i < y.size(); ++i)
      good = good && y[i] == float(i);
    CHECK(good);
    CHECK(workspace.fence_holds());
  }
}

TEST_CASE("A launch allocates nothing") {
  ThreadPool pool(2);
  const Dispatch counting = prepare(steps_artifact(), counting_plan(), 500, {0.5});
  const Dispatch own = prepare(steps_artifact(), own_plan(), 500);
  const Dispatch scale = prepare(scale_artifact(), scale_plan(), 500);
  Workspace counting_space(counting, 2), own_space(own, 2);
  std::vector<float> x(500, 1.0f), y(1500);
  const int64_t stride = 2;
  const Tensor one[] = {{y.data(), nullptr}};
  const Tensor two[] = {{x.data(), nullptr}, {y.data(), &stride}};
  bool good = true;
  const int64_t before = allocations;
  for (int round = 0; round < 10; ++round) {
    good = good && counting.launch(one, counting_space.address(), pool).ok();
    good = good && own.launch(one, own_space.address(), pool).ok();
    good = good && scale.launch(two, nullptr, pool).ok();
  }
  CHECK(allocations == before);
  CHECK(good);
}

TEST_CASE("Strides of the caller are followed, and nothing between elements is touched") {
  ThreadPool pool(2);
  const Dispatch scale = prepare(scale_artifact(), scale_plan(), 10);
  std::vector<float> x(20), y(30, -1.0f);
  for (size_t i = 0; i < x.size(); ++i)
    x[i] = float(i);
  const int64_t two = 2, three = 3;
  const Tensor tensors[] = {{x.data(), &two}, {y.data(), &three}};
  REQUIRE(scale.launch(tensors, nullptr, pool).ok());
  for (size_t i = 0; i < y.size(); ++i)
    CHECK(y[i] == (i % 3 == 0 ? 3.0f * x[i / 3 * 2] : -1.0f));

  const Dispatch counting = prepare(steps_artifact(), counting_plan(), 3, {0.0});
  Workspace workspace(counting, 2);
  std::vector<float> z(18, -1.0f);
  const Tensor strided[] = {{z.data(), &two}};
  REQUIRE(counting.launch(strided, workspace.address(), pool).ok());
  for (size_t i = 1; i < z.size(); i += 2)
    CHECK(z[i] == -1.0f);
  CHECK(z[16] == 0.0f);
}

TEST_CASE("A launch refuses what its plan does not admit, by name") {
  Plan plan = scale_plan();
  plan.buffers[0].unit_stride_axis = 0;
  plan.buffers[1].alignment = 64;
  ThreadPool pool(1);
  const Dispatch scale = prepare(scale_artifact(), plan, 4);
  alignas(64) float x[8] = {}, y[32] = {};
  auto refused = [&](const Tensor& to_x, const Tensor& to_y) {
    const Tensor tensors[] = {to_x, to_y};
    const Status status = scale.launch(tensors, nullptr, pool);
    CHECK(status.code() == absl::StatusCode::kInvalidArgument);
    return std::string(status.message());
  };
  const int64_t two = 2, huge = INT64_MAX;
  CHECK_THAT(refused({nullptr, nullptr}, {y, nullptr}), Contains("x = absent"));
  CHECK_THAT(refused({x, &two}, {y, nullptr}), Contains("x = stride 2"));
  CHECK_THAT(refused({reinterpret_cast<char*>(x) + 2, nullptr}, {y, nullptr}),
             Contains("divisible by 4"));
  CHECK_THAT(refused({x, nullptr}, {y + 1, nullptr}), Contains("divisible by 64"));
  CHECK_THAT(refused({x, nullptr}, {y, &huge}), Contains("y = its strides"));
  const Tensor only_x[] = {{x, nullptr}};
  CHECK_THAT(std::string(scale.launch(only_x, nullptr, pool).message()), Contains("tensors"));
  CHECK(y[0] == 0.0f);
}

TEST_CASE("A stride that is never used may be anything") {
  Plan plan = scale_plan();
  plan.buffers[0].unit_stride_axis = 0;
  ThreadPool pool(1);
  float x = 2, y = 0;
  const int64_t odd = 77;
  const Tensor tensors[] = {{&x, &odd}, {&y, nullptr}};
  REQUIRE(prepare(scale_artifact(), plan, 1).launch(tensors, nullptr, pool).ok());
  CHECK(y == 6.0f);
}

TEST_CASE("An optional tensor may be absent and reaches the kernel as address 0") {
  Plan plan = own_plan();
  plan.buffers[0].optional = true;
  ThreadPool pool(1);
  const Dispatch dispatch = prepare(steps_artifact(), plan, 0);
  Workspace workspace(dispatch, 1);
  const Tensor tensors[] = {{nullptr, nullptr}};
  CHECK(dispatch.launch(tensors, workspace.address(), pool).ok());
}

TEST_CASE("A workspace that is missing or misaligned is refused") {
  ThreadPool pool(2);
  const Dispatch dispatch = prepare(steps_artifact(), own_plan(), 10);
  Workspace workspace(dispatch, 2);
  std::vector<float> y(10);
  const Tensor tensors[] = {{y.data(), nullptr}};
  CHECK_THAT(std::string(dispatch.launch(tensors, nullptr, pool).message()), Contains("workspace"));
  void* odd = static_cast<char*>(workspace.address()) + 8;
  CHECK_THAT(std::string(dispatch.launch(tensors, odd, pool).message()), Contains("workspace"));
}

TEST_CASE("Sizes outside the plan's range are refused by name") {
  auto kernel = Kernel::load(scale_artifact(), scale_plan());
  REQUIRE(kernel.ok());
  const int64_t negative = -1, large = (1 << 20) + 1;
  const std::vector<int64_t> two = {1, 1};
  CHECK((*kernel)->prepare({&negative, 1}, {}).status().code() == absl::StatusCode::kOutOfRange);
  CHECK_THAT(std::string((*kernel)->prepare({&large, 1}, {}).status().message()),
             Contains("n = 1048577"));
  CHECK((*kernel)->prepare(two, {}).status().code() == absl::StatusCode::kInvalidArgument);
  CHECK((*kernel)->prepare({}, {}).status().code() == absl::StatusCode::kInvalidArgument);
}

TEST_CASE("A grid that is negative or overflows is refused before anything runs") {
  for (const char* grid : {"0 - n", "n * 9223372036854775807", "1000000000 * n"}) {
    INFO(grid);
    Plan plan = scale_plan();
    std::get<Launch>(plan.steps[0]).grid = {grid, "1000000000", "1000000000"};
    auto kernel = Kernel::load(scale_artifact(), plan);
    REQUIRE(kernel.ok());
    const int64_t n = 5;
    CHECK((*kernel)->prepare({&n, 1}, {}).status().code() == absl::StatusCode::kOutOfRange);
  }
}

TEST_CASE("A read outside its buffer ends the launch with an error") {
  Plan plan = counting_plan();
  std::get<Read>(plan.steps[3]).index = "n + 1";
  ThreadPool pool(1);
  const Dispatch dispatch = prepare(steps_artifact(), plan, 4, {0.0});
  Workspace workspace(dispatch, 1);
  std::vector<float> y(12);
  const Tensor tensors[] = {{y.data(), nullptr}};
  CHECK(dispatch.launch(tensors, workspace.address(), pool).code() ==
        absl::StatusCode::kOutOfRange);
}

TEST_CASE("A caller may bring a parallel-for of its own") {
  struct Backwards : ParallelFor {
    int workers() const override { return 3; }
    void run(int64_t total, Body body, void* context) override {
      for (int64_t i = total; i-- > 0;)
        body(context, i, i + 1, int(i % 3));
    }
  } backwards;
  const Dispatch dispatch = prepare(steps_artifact(), own_plan(), 50);
  Workspace workspace(dispatch, 3);
  std::vector<float> y(50);
  const Tensor tensors[] = {{y.data(), nullptr}};
  REQUIRE(dispatch.launch(tensors, workspace.address(), backwards).ok());
  CHECK(y[49] == 49.0f);
}

}  // namespace
}  // namespace kiln::runtime
