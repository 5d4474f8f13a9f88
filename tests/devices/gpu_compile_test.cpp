#include <algorithm>
#include <filesystem>

#include "core/key.h"
#include "devices/compile/compiled_kernels.h"
#include "devices/compiler.h"
#include "devices/gpu/architecture.h"
#include "tests/runtime/small_kernel.h"

namespace kiln::devices {
namespace {

using Catch::Contains;

constexpr const char* kCudaLowering = R"(
#pragma once
#define KILN_ENTRY(NAME, CONFIG, KERNEL) \
  extern "C" __global__ void NAME(KERNEL::Args args) { KERNEL::run<CONFIG>(args); }
)";
constexpr const char* kHipLowering = R"(
#pragma once
#ifndef __HIPCC_RTC__
#define __device__ __attribute__((device))
#define __global__ __attribute__((global))
#define __shared__ __attribute__((shared))
#endif
#define KILN_ENTRY(NAME, CONFIG, KERNEL) \
  extern "C" __global__ void NAME(KERNEL::Args args) { KERNEL::run<CONFIG>(args); }
)";

// Takes 512 bytes of scratchpad and one matrix instruction.
constexpr const char* kKernel = R"(
#pragma once
struct ProductStep {
  struct Args {
    const int* x;
    float* y;
  };
  template <class Config>
  static __device__ void run(const Args& args) {
    __shared__ float shared[128];
#if defined(__CUDA_ARCH__)
    const int lane = threadIdx.x;
    const int a = args.x[lane];
    float c0 = Config::factor, c1 = 0, c2 = 0, c3 = 0;
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3},{%4,%4,%4,%4},{%4,%4},"
        "{%0,%1,%2,%3};" : "+f"(c0), "+f"(c1), "+f"(c2), "+f"(c3) : "r"(a));
    shared[lane] = c0 + c1 + c2 + c3;
    __syncthreads();
#else
    const int lane = __builtin_amdgcn_workitem_id_x();
    float sum = args.x[lane];
#if defined(__gfx90a__) || defined(__gfx942__)
    typedef _Float16 Four __attribute__((ext_vector_type(4)));
    typedef float Sum __attribute__((ext_vector_type(4)));
    const Four a = {(_Float16)sum, (_Float16)sum, (_Float16)sum, (_Float16)sum};
    Sum c = {Config::factor, 0, 0, 0};
    c = __builtin_amdgcn_mfma_f32_16x16x16f16(a, a, c, 0, 0, 0);
    sum = c[0] + c[1] + c[2] + c[3];
#endif
    shared[lane] = sum;
    __builtin_amdgcn_s_barrier();
#endif
    args.y[lane] = shared[lane ^ 1];
  }
};
)";

class Workshop {
 public:
  Workshop() {
    sources_ = {{"tile/cuda.h", kCudaLowering},
                {"tile/hip.h", kHipLowering},
                {"product/kernel.h", kKernel}};
  }
  void add(const std::string& path, const std::string& text) { sources_[path] = text; }
  const std::string& directory() const { return directory_.path(); }

  std::unique_ptr<Compiler> open(std::string_view target, const std::string& compiler = "") const {
    auto opened = open_compiler(target, {.sources = sources_,
                                         .cache_directory = directory_.path() + "/cache",
                                         .compiler = compiler});
    INFO(opened.status());
    REQUIRE(opened.ok());
    return *std::move(opened);
  }
  static KernelSource product() {
    return {.header = "product/kernel.h",
            .config = {{"int", "factor", "3"}},
            .entries = {"ProductStep"}};
  }

 private:
  test::TemporaryDirectory directory_;
  SourceTree sources_;
};

// Whether the vendor's compiler is on this machine; says so when it is not.
bool usable(const Compiler& compiler) {
  const StatusOr<std::string> version = compiler.version();
  if (version.ok()) return true;
  CHECK(version.status().code() == absl::StatusCode::kUnavailable);
  CHECK_THAT(std::string(version.status().message()), Contains("install"));
  WARN(compiler.target().architecture << ": " << version.status().message());
  return false;
}

TEST_CASE("Targets are listed, and an unknown one is named with those that there are") {
  const std::vector<std::string> names = target_names();
  for (const char* name : {"host", "sm_80", "sm_90a", "sm_100", "sm_120", "gfx90a", "gfx942",
                           "gfx1100", "gfx1201", "host:avx512bf16"}) {
    INFO(name);
    CHECK(std::ranges::find(names, name) != names.end());
  }
  for (const char* name : {"", "sm_20", "gfx", "cuda", "sm_80 "}) {
    INFO(name);
    const Status status = open_compiler(name, {}).status();
    CHECK(status.code() == absl::StatusCode::kNotFound);
    CHECK_THAT(std::string(status.message()), Contains("sm_90a") && Contains("gfx942"));
  }
}

TEST_CASE("Every GPU target compiles without its GPU, and says what a kernel takes") {
  Workshop workshop;
  for (const GpuArchitecture& architecture : gpu_architectures()) {
    INFO(architecture.name);
    const auto compiler = workshop.open(architecture.name);
    if (!usable(*compiler)) continue;
    const StatusOr<Compilation> made = compiler->compile(Workshop::product(), {});
    INFO(made.status());
    REQUIRE(made.ok());
    CHECK(made->artifact.hash == digest(made->artifact.bytes));
    CHECK(made->artifact.architecture == architecture.name);
    CHECK(made->artifact.target_kind == architecture.kind);
    CHECK(made->artifact.toolchain == *compiler->version());
    CHECK(made->artifact.code_identity == compiler->code_identity(Workshop::product()));
    REQUIRE(made->entries.size() == 1);
    const ResourceUse& use = made->entries.front();
    CHECK(use.entry == "product_step");
    CHECK(use.registers > 0);
    CHECK(use.spill_bytes == 0);
    CHECK(use.scratchpad_bytes == 512);
    const bool has_matrix = architecture.kind == "cuda" || architecture.warp_threads == 64;
    if (use.matrix_instructions) CHECK(*use.matrix_instructions == (has_matrix ? 1 : 0));
  }
}

TEST_CASE("An architecture that the run-time compiler dies of goes to clang") {
  Workshop workshop;
  const auto compiler = workshop.open("gfx1201");
  if (!usable(*compiler)) return;
  CHECK(compiler->compile(Workshop::product(), {}).ok());
  // Named, clang also compiles what the run-time compiler knows.
  const auto named = workshop.open("gfx90a", "clang++-19");
  if (!usable(*named)) return;
  CHECK_THAT(*named->version(), Catch::StartsWith("clang"));
  CHECK(named->compile(Workshop::product(), {}).ok());
}

TEST_CASE("What AMD's kernels are made from does not depend on the compiler that is there") {
  Workshop workshop;
  const auto compiler = workshop.open("gfx90a");
  const auto bare = workshop.open("gfx90a", workshop.directory() + "/no-clang");
  CHECK(bare->code_identity(Workshop::product()) == compiler->code_identity(Workshop::product()));
  CHECK(bare->version().status().code() == absl::StatusCode::kUnavailable);
  if (!usable(*compiler)) return;
  const StatusOr<Compilation> made = compiler->compile(Workshop::product(), {});
  REQUIRE(made.ok());
  CHECK_FALSE(bare->compile(Workshop::product(), {}).ok());
  const std::string folder = compiled_kernels_in(workshop.directory() + "/cache");
  std::filesystem::create_directories(folder);
  REQUIRE(keep_compiled(folder, *made).ok());
  const StatusOr<Compilation> found = bare->compile(Workshop::product(), {});
  INFO(found.status());
  REQUIRE(found.ok());
  CHECK(found->artifact.hash == made->artifact.hash);
}

TEST_CASE("A GPU compiler's complaint comes back without the names of our folders") {
  Workshop workshop;
  workshop.add("product/kernel.h", "struct ProductStep { broken };\n");
  for (const char* target : {"sm_80", "gfx942"}) {
    INFO(target);
    const auto compiler = workshop.open(target);
    if (!usable(*compiler)) continue;
    const Status status = compiler->compile(Workshop::product(), {}).status();
    CHECK(status.code() == absl::StatusCode::kFailedPrecondition);
    CHECK_THAT(std::string(status.message()), Contains("kernel.h") && Contains("error"));
    CHECK_THAT(std::string(status.message()), !Contains(workshop.directory()));
  }
}

TEST_CASE("PTX is text, and belongs to one vendor") {
  Workshop workshop;
  const CompileOptions ptx{.form = CompileOptions::Form::kPtx};
  CHECK(workshop.open("gfx942")->compile(Workshop::product(), ptx).status().code() !=
        absl::StatusCode::kOk);
  const auto compiler = workshop.open("sm_80");
  if (!usable(*compiler)) return;
  const StatusOr<Compilation> made = compiler->compile(Workshop::product(), ptx);
  REQUIRE(made.ok());
  CHECK_THAT(made->artifact.bytes, Contains(".target sm_80") && Contains(".entry product_step"));
  CHECK(made->artifact.bytes.back() == '\n');
}

TEST_CASE("A GPU compiler that burns time is stopped at its CPU limit") {
  Workshop workshop;
  workshop.add("product/kernel.h", std::string(kKernel) + R"(
constexpr long slow(long n) { return n < 2 ? n : slow(n - 1) + slow(n - 2); }
static_assert(slow(200) != 0, "");
)");
  const auto compiler = workshop.open("gfx942");
  if (!usable(*compiler)) return;
  CHECK_FALSE(compiler->compile(Workshop::product(), {.cpu_limit = std::chrono::seconds(1)}).ok());
}

}  // namespace
}  // namespace kiln::devices
