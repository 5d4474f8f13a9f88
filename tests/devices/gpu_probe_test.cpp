#include "devices/gpu/gpu_probe.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "devices/compiler.h"
#include "devices/gpu/architecture.h"
#include "tests/support/scratch_directory.h"

namespace kiln::devices {
namespace {

// The tile language as it is.
SourceTree tile_language() {
  const std::filesystem::path root = KILN_SOURCE_DIRECTORY;
  SourceTree tree;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root / "templates/tile")) {
    if (entry.path().extension() != ".h") continue;
    std::stringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    tree[std::filesystem::relative(entry.path(), root / "templates").string()] = text.str();
  }
  return tree;
}

TEST_CASE("Every GPU's arithmetic is measured by kernels that its compiler makes") {
  const testing::ScratchDirectory scratch;
  const SourceTree tree = tile_language();
  for (const GpuArchitecture& architecture : gpu_architectures()) {
    INFO(architecture.name);
    const auto compiler = open_compiler(
        architecture.name, {.sources = tree, .cache_directory = scratch / "cache", .compiler = ""});
    REQUIRE(compiler.ok());
    if (!(*compiler)->version().ok()) continue;
    const std::vector<GpuProbe> probes = gpu_probes((*compiler)->target());
    REQUIRE(probes.size() == 2);
    for (const GpuProbe& probe : probes) {
      INFO(probe.source.entries[0]);
      const auto made = (*compiler)->compile(probe.source, {});
      INFO(made.status());
      REQUIRE(made.ok());
      REQUIRE(made->entries.size() == 1);
      const ResourceUse& use = made->entries[0];
      CHECK(use.entry == std::get<Launch>(probe.plan.steps[0]).entry);
      CHECK(use.spill_bytes == 0);
      // A loop over eight products; an atom of 16 columns may be two of them.
      if (use.matrix_instructions) {
        CHECK((*use.matrix_instructions >= 8) == (&probe == &probes[1]));
      }
    }
  }
}

}  // namespace
}  // namespace kiln::devices
