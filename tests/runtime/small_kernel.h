// Kernels of a few lines for tests, compiled by the host device from a source tree of their own.
//
//     SmallKernels kernels;
//     Artifact artifact = kernels.compile(kernels.scale(3));
//     auto kernel = Kernel::load(artifact, scale_plan());

#pragma once

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include "core/plan.h"
#include "devices/device.h"

namespace kiln::test {

inline std::string read_text(const std::string& path) {
  std::ifstream file(path);
  REQUIRE(file);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// A folder of this test alone, removed at its end.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "kiln-test-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()));
    path_ = pattern;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// The smallest lowering: an entry is a struct with a name, a number of slots and run(slots, block).
inline constexpr const char* kSmallLowering = R"(
#pragma once
#include "runtime/host/abi.h"
template <class Config, class... Entries>
struct Small {
  static inline const KilnHostEntry kEntries[] = {
      {Entries::name, Entries::slots, Entries::scratch, 4096}...};
#if defined(__AVX512BF16__)
  static constexpr const char* kSet = "avx512bf16";
#elif defined(__AVX512F__)
  static constexpr const char* kSet = "avx512";
#elif defined(__AVX2__)
  static constexpr const char* kSet = "avx2";
#else
  static constexpr const char* kSet = "baseline";
#endif
  static inline const KilnHostInfo kInfo = {kKilnHostAbiVersion, sizeof...(Entries), kEntries, kSet};
  static void run(KilnU32 entry, const KilnHostLaunch& launch, KilnI64 first, KilnI64 last,
                  void* scratch) {
    KilnU32 k = 0;
    ((k++ == entry ? blocks<Entries>(launch, first, last, scratch) : void()), ...);
  }
  template <class Entry>
  static void blocks(const KilnHostLaunch& launch, KilnI64 first, KilnI64 last, void* scratch) {
    for (KilnI64 b = first; b < last; ++b) Entry::template run<Config>(launch, b, scratch);
  }
};
#define KILN_EXPORT extern "C" __attribute__((visibility("default")))
#define KILN_ENTRIES(...)                                                              \
  KILN_EXPORT const KilnHostInfo* kiln_host_info_v1() { return &Small<__VA_ARGS__>::kInfo; } \
  KILN_EXPORT void kiln_host_blocks_v1(KilnU32 entry, const KilnHostLaunch* launch,    \
                                       KilnI64 first, KilnI64 last, void* scratch) {   \
    Small<__VA_ARGS__>::run(entry, *launch, first, last, scratch);                     \
  }
)";

// y[b] = factor * x[b] for block b, with strides; factor is compiled in.
inline constexpr const char* kScaleKernel = R"(
#pragma once
struct Scale {
  static constexpr const char* name = "scale";
  static constexpr KilnU32 slots = 4, scratch = 0;
  template <class Config>
  static void run(const KilnHostLaunch& launch, KilnI64 b, void*) {
    const float* x = (const float*)launch.slots[0];
    float* y = (float*)launch.slots[2];
    y[b * (KilnI64)launch.slots[3]] = float(Config::factor) * x[b * (KilnI64)launch.slots[1]];
  }
};
)";

inline Plan scale_plan() {
  Buffer x, y;
  x.name = "x";
  x.shape = {"n"};
  y.name = "y";
  y.shape = {"n"};
  y.kind = Buffer::Kind::kOutput;
  Launch launch;
  launch.entry = "scale";
  launch.grid = {"n", "1", "1"};
  launch.arguments = {{Argument::Kind::kTensor, "x"}, {Argument::Kind::kTensor, "y"}};
  launch.reads = {"x"};
  launch.writes = {"y"};
  Plan plan;
  plan.symbols = {{"n", 0, 1 << 20}};
  plan.buffers = {x, y};
  plan.steps = {launch};
  return plan;
}

class SmallKernels {
 public:
  SmallKernels() {
    sources_["tile/host.h"] = kSmallLowering;
    sources_["runtime/host/abi.h"] =
        read_text(std::string(KILN_SOURCE_DIRECTORY) + "/runtime/host/abi.h");
    sources_["scale/kernel.h"] = kScaleKernel;
  }

  void add(const std::string& path, const std::string& text) { sources_[path] = text; }
  const devices::SourceTree& sources() const { return sources_; }
  std::string cache() const { return directory_.path() + "/cache"; }
  const std::string& directory() const { return directory_.path(); }

  std::unique_ptr<devices::Device> open(std::string_view name = "host:baseline",
                                        const std::string& compiler = "") const {
    auto device = devices::open_device(
        name, {.sources = sources_, .cache_directory = cache(), .compiler = compiler});
    REQUIRE(device.ok());
    return *std::move(device);
  }

  static KernelSource scale(int factor) {
    return {.header = "scale/kernel.h",
            .config = {{"int", "factor", std::to_string(factor)}},
            .entries = {"Scale"}};
  }

  // Compiles a kernel header given as text with one entry.
  Artifact compile(const KernelSource& source, std::string_view device = "host:baseline") const {
    StatusOr<Artifact> artifact = open(device)->compile(source, {});
    INFO(artifact.status());
    REQUIRE(artifact.ok());
    return *std::move(artifact);
  }

 private:
  TemporaryDirectory directory_;
  devices::SourceTree sources_;
};

}  // namespace kiln::test
