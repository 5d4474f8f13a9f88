#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <set>

#include "benchmarks/selftest/device_test.h"
#include "devices/compile/cache_directory.h"
#include "devices/compile/compiled_kernels.h"
#include "engine/export.h"
#include "engine/import.h"
#include "templates/registry.h"
#include "tests/support/scratch_directory.h"

namespace kiln::selftest {
namespace {

using testing::ScratchDirectory;

std::unique_ptr<devices::Device> host(const std::string& cache) {
  const auto& sources = embedded_sources();
  auto device = devices::open_device(
      "host:baseline",
      {.sources = {sources.begin(), sources.end()}, .cache_directory = cache, .compiler = ""});
  REQUIRE(device.ok());
  return *std::move(device);
}

TEST_CASE("the cases are distinct, of every family, and small enough to be verified at once") {
  std::set<std::string> names, families_seen;
  for (const Case& tested : corner_cases()) {
    INFO(tested.name());
    CHECK(names.insert(tested.name()).second);
    families_seen.insert(std::string(tested.family->name()));
    CHECK(parse_case(tested.name())->problem == tested.problem);
    // What is verified is the probe: it must be the case itself, or hold its static fields.
    CHECK(tested.family->cost(tested.family->probe(tested.problem)).flops <= 1e9);
  }
  CHECK(families_seen.size() == families().size());
  Target gpu;
  gpu.kind = "cuda";
  CHECK(real_shapes(gpu).size() == 10);
  Target processor;
  processor.kind = "host";
  for (const Case& shape : real_shapes(processor))
    CHECK(shape.problem.integer("batch") <= 2);
  CHECK_FALSE(parse_case("gemm m=1").ok());
  CHECK_FALSE(parse_case("nothing m=1").ok());
}

TEST_CASE("a compilation that is kept is found for its code alone, whole or not at all") {
  const ScratchDirectory scratch;
  const std::string folder = scratch / "kernels";
  std::filesystem::create_directory(folder);
  const auto device = host(scratch / "cache");
  const Case tested = *parse_case("gemm m=5 n=7 k=3 dtype=f32");
  const Config config = chosen_configs(tested, device->target(), 0).front();
  const KernelSource source = tested.family->source(tested.problem, config, device->target());
  const auto made = device->compiler().compile(source, {});
  REQUIRE(made.ok());
  REQUIRE(devices::keep_compiled(folder, *made).ok());
  const std::string identity = device->code_identity(source);
  const auto found = devices::find_compiled(folder, identity);
  REQUIRE(found);
  CHECK(found->artifact.bytes == made->artifact.bytes);
  CHECK(found->artifact.toolchain == made->artifact.toolchain);
  CHECK_FALSE(devices::find_compiled(folder, "another"));

  // A machine without a compiler has what is in the folder, and nothing else.
  const std::string cache = scratch / "bare";
  std::filesystem::create_directory(cache);
  std::filesystem::permissions(cache, std::filesystem::perms::owner_all);
  std::filesystem::create_directory_symlink(folder, devices::compiled_kernels_in(cache));
  const auto& sources = embedded_sources();
  const auto bare =
      devices::open_device("host:baseline", {.sources = {sources.begin(), sources.end()},
                                             .cache_directory = cache,
                                             .compiler = "/nonexistent/clang++"});
  CHECK((*bare)->compiler().compile(source, {})->artifact.hash == made->artifact.hash);
  const Case other = *parse_case("gemm m=5 n=7 k=3 transpose_b=true dtype=f32");
  const auto missing = (*bare)->compiler().compile(
      other.family->source(other.problem, chosen_configs(other, device->target(), 0).front(),
                           device->target()),
      {});
  CHECK(absl::IsUnavailable(missing.status()));

  const std::string path = folder + "/" + identity;
  const std::string whole = *devices::read_file(path);
  for (const size_t length : {size_t(0), size_t(10), whole.size() / 2, whole.size() - 1}) {
    std::ofstream(path, std::ios::binary) << whole.substr(0, length);
    CHECK_FALSE(devices::find_compiled(folder, identity));
  }
}

TEST_CASE("what the self-test tunes is read by the import") {
  const ScratchDirectory scratch;
  const auto opened = DeviceTest::open("host:baseline", "", scratch / "cache");
  INFO(opened.status());
  REQUIRE(opened.ok());
  CHECK((*opened)->toolchain().ok());
  // Long enough for a shape or two; with one of them the document is what it has to be.
  const Tuned tuned = (*opened)->tune(std::chrono::seconds(8));
  for (const Failure& failure : tuned.failures)
    FAIL_CHECK(failure.problem << failure.message);
  const auto catalogue = engine::Catalogue::embedded("");
  const auto document = engine::export_document(
      tuned.winners, *catalogue, [](const std::string&) -> const Target* { return nullptr; });
  const auto rows = engine::read_import(*document, *catalogue);
  INFO(rows.status());
  REQUIRE(rows.ok());
  CHECK(rows->size() >= tuned.winners.size());
}

TEST_CASE("lists of kernels survive their file, and broken ones are refused") {
  const ScratchDirectory scratch;
  const Target target = host(scratch / "cache")->target();
  const Case tested = *parse_case("gemm m=70 n=50 k=33 dtype=f16");
  const std::vector<Config> configs = chosen_configs(tested, target, 3);
  CHECK(configs == chosen_configs(tested, target, 3));
  CHECK(configs.size() > 1);
  KernelList list;
  for (const Config& config : configs)
    list.add(tested, config);
  REQUIRE(list.write(scratch / "", target).ok());
  const Space space = tested.family->space(tested.problem, target);
  const auto again = KernelList::read(scratch / "", target);
  REQUIRE(again.ok());
  CHECK(again->of(tested, space) == configs);
  CHECK(KernelList::read(scratch / "elsewhere", target)->empty());
  for (const char* broken : {"", "[]", "{\"a\": 1}", "{\"a\": [1]}", "{\"a\": [\"=\"]}"}) {
    std::ofstream(scratch / ("lists/" + target.kind + "-" + target.architecture + ".json"))
        << broken;
    CHECK_FALSE(KernelList::read(scratch / "", target).ok());
  }
}

}  // namespace
}  // namespace kiln::selftest
