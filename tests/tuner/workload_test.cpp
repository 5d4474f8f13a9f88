// Tensors in shared memory, the marks around them, and the reference they are compared with.

#include "tuner/workload.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "tests/support/trial_family.h"
#include "tuner/poison.h"
#include "tuner/reference.h"

namespace kiln::tuner {

namespace {

class Bench {
 public:
  explicit Bench(int64_t n, WorkloadOptions options = {.memory_bytes = 1 << 30})
      : problem(family.problem(n)) {
    auto made = Workload::make(family, problem, plan(), 2, options, {});
    INFO(made.status());
    REQUIRE(made.ok());
    workload = *std::move(made);
  }
  Plan plan() const { return family.plan(problem, {}, {}); }
  float* data(std::string_view name) const {
    return static_cast<float*>(find_tensor(workload->tensors(), name).data);
  }
  void compute() {
    const int64_t n = problem.integer("n");
    for (int64_t i = 0; i < n; ++i) {
      data("out")[i] = 2 * data("x")[i] + data("y")[i];
      data("twice")[i] = 2 * data("out")[i];
    }
  }

  testing::TrialFamily family{{testing::Behaviour::kFast}};
  Problem problem;
  std::unique_ptr<Workload> workload;
};

}  // namespace

TEST_CASE("the footprint counts every buffer of a plan") {
  Bench bench(1000);
  Plan plan = bench.plan();
  Buffer workspace = plan.buffers[0];
  workspace.kind = Buffer::Kind::kPerWorker;
  workspace.shape = {"n", "3"};
  plan.buffers.push_back(workspace);
  const auto need = footprint(plan, bench.problem, 2);
  REQUIRE(need.ok());
  CHECK(need->inputs == 8000);
  CHECK(need->outputs == 8000);
  CHECK(need->workspace == 2 * 3 * 4000);
  plan.buffers.back().shape = {"n", "9223372036854775807"};
  CHECK_FALSE(footprint(plan, bench.problem, 2).ok());
}

TEST_CASE("inputs cannot be written once they are filled") {
  Bench bench(1000);
  CHECK(mmap(nullptr, 4096, PROT_WRITE, MAP_SHARED, bench.workload->inputs_fd(), 0) == MAP_FAILED);
  CHECK(mprotect(reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(bench.data("x")) & ~4095ull),
                 4096, PROT_WRITE) != 0);
}

TEST_CASE("copies rotate through more than was asked for, as memory allows") {
  const auto copies = [](int64_t rotation, int64_t memory) {
    Bench bench(100'000, {.memory_bytes = memory, .rotation_bytes = rotation});
    worker::RunRequest request;
    bench.workload->describe(request);
    CHECK(request.copies * (request.input_copy_bytes + request.output_copy_bytes) <= memory);
    return request.copies;
  };
  CHECK(copies(0, 1 << 30) == 1);
  CHECK(copies(16'000'000, 1 << 30) == 10);  // a set has 1,605,632 bytes in whole pages
  CHECK(copies(16'000'000, 8'000'000) == 1);
  CHECK(copies(16'000'000, 1'700'000) == 0);
}

TEST_CASE("what does not fit is refused with both numbers") {
  testing::TrialFamily family({testing::Behaviour::kFast});
  const Problem problem = family.problem(1'000'000);
  const auto made = Workload::make(family, problem, family.plan(problem, {}, {}), 1,
                                   {.memory_bytes = 15'999'999}, {});
  CHECK(absl::IsResourceExhausted(made.status()));
  CHECK(made.status().message().find("16000000") != std::string::npos);
  CHECK(made.status().message().find("15999999") != std::string::npos);
}

TEST_CASE("poison shows what was not written, canaries what was written outside") {
  Bench bench(1001);
  bench.workload->poison();
  CHECK(bench.workload->not_finite(false) == "out[0] was never written");
  bench.compute();
  CHECK_FALSE(bench.workload->not_finite(false));
  CHECK_FALSE(bench.workload->stray_write());
  bench.data("out")[1000] = std::numeric_limits<float>::quiet_NaN();
  CHECK(bench.workload->not_finite(false) == "out[1000] is NaN");
  bench.compute();
  bench.data("twice")[3] = std::numeric_limits<float>::quiet_NaN();
  CHECK(bench.workload->not_finite(false) == "twice[3] is NaN");
  CHECK_FALSE(bench.workload->not_finite(true));
  bench.data("out")[-1] = 0;
  CHECK(bench.workload->stray_write() == "wrote 4 bytes before out");
}

TEST_CASE("poison and NaN are found in every type") {
  for (const Dtype dtype :
       {Dtype::kF16, Dtype::kBF16, Dtype::kF32, Dtype::kF64, Dtype::kI32, Dtype::kI64}) {
    INFO(name_of(dtype));
    constexpr int64_t kElements = 9000;
    std::vector<double> storage(kElements);
    const int64_t size = int64_t(size_of(dtype));
    const HostTensor tensor{
        .name = "t", .dtype = dtype, .shape = {kElements}, .strides = {1}, .data = storage.data()};
    fill_poison(dtype, storage.data(), kElements * size);
    CHECK(find_nan(dtype, storage.data(), kElements) == 0);
    CHECK(is_poison(tensor, kElements - 1));
    for (int64_t i = 0; i < kElements; ++i) {
      store_element(dtype, reinterpret_cast<char*>(storage.data()) + i * size, i % 7 == 0 ? -3 : 5);
    }
    CHECK(find_nan(dtype, storage.data(), kElements) == kElements);
    fill_poison(dtype, reinterpret_cast<char*>(storage.data()) + 8765 * size, size);
    CHECK(find_nan(dtype, storage.data(), kElements) == 8765);
    CHECK(is_poison(tensor, 8765));
    if (unit_roundoff(dtype) == 0) continue;
    for (const double value : {std::numeric_limits<double>::infinity(), -1e30}) {
      store_element(dtype, reinterpret_cast<char*>(storage.data()) + 8765 * size, value);
      CHECK(find_nan(dtype, storage.data(), kElements) == kElements);
    }
    store_element(dtype, reinterpret_cast<char*>(storage.data()) + 17 * size,
                  std::numeric_limits<double>::quiet_NaN());
    CHECK(find_nan(dtype, storage.data(), kElements) == 17);
    CHECK_FALSE(is_poison(tensor, 17));
  }
}

TEST_CASE("an element is named by its index in the tensor's own order") {
  const HostTensor tensor{.name = "o",
                          .dtype = Dtype::kF32,
                          .shape = {2, 3, 5},
                          .strides = {15, 1, 3},
                          .data = nullptr};
  CHECK(element_name(tensor, 0) == "o[0, 0, 0]");
  CHECK(element_name(tensor, 15 + 3 * 4 + 2) == "o[1, 2, 4]");
}

TEST_CASE("the reference takes all units when it can, else borders and a sample") {
  Bench bench(100'000);
  bench.compute();
  const auto tensors = bench.workload->tensors();
  const auto all = Reference::make(bench.family, bench.problem, tensors, {.threads = 2}, {});
  REQUIRE(all.ok());
  CHECK((*all)->units() == 100);
  CHECK((*all)->units_total() == 100);
  CHECK_FALSE((*all)->compare(tensors).wrong);
  CHECK((*all)->compare(tensors).worst_error <= 1);

  const auto some =
      Reference::make(bench.family, bench.problem, tensors, {.flops = 20'000, .seed = 5}, {});
  REQUIRE(some.ok());
  CHECK((*some)->units() == 10);
  CHECK((*some)->units_total() == 100);

  bench.data("out")[99'999] += 1;  // in a unit at the border
  for (const auto& reference : {&all, &some}) {
    const auto result = (**reference)->compare(tensors);
    CHECK(result.wrong);
    CHECK(result.worst_absolute == Approx(1).epsilon(1e-3));
    CHECK(result.diagnostics.rfind("out[99999] = ", 0) == 0);
  }
  CHECK_FALSE((*all)->compare(bench.workload->tensors_without_optional()).diagnostics.empty());
}

TEST_CASE("infinities must be equal") {
  class Infinite : public testing::TrialFamily {
   public:
    Infinite() : TrialFamily({testing::Behaviour::kFast}) {}
    void reference_unit(const Problem&, std::span<const HostTensor>, int64_t,
                        ReferenceSink& sink) const override {
      sink.expect("out", 0, -std::numeric_limits<double>::infinity(), 1e30);
    }
  } family;
  Bench bench(10);
  const auto tensors = bench.workload->tensors();
  const auto reference = Reference::make(family, bench.problem, tensors, {}, {});
  REQUIRE(reference.ok());
  const auto wrong = [&](float value) {
    bench.data("out")[0] = value;
    return (*reference)->compare(tensors).wrong;
  };
  CHECK_FALSE(wrong(-std::numeric_limits<float>::infinity()));
  CHECK(wrong(std::numeric_limits<float>::infinity()));
  CHECK(wrong(-1e30f));
}

}  // namespace kiln::tuner
