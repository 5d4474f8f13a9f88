#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "devices/compile/cache_directory.h"
#include "devices/compile/translation_unit.h"
#include "devices/host/processor.h"
#include "tests/runtime/small_kernel.h"

namespace kiln::devices {
namespace {

using Catch::Contains;
using test::SmallKernels;

TEST_CASE("Devices are opened by name") {
  for (const std::string& name : device_names()) {
    INFO(name);
    auto device = open_device(name, {});
    REQUIRE(device.ok());
    CHECK((*device)->name() == name);
    CHECK((*device)->fingerprint().kind == (*device)->target().kind);
    CHECK((*device)->fingerprint().instruction_set == (*device)->target().architecture);
    CHECK((*device)->fingerprint().units == (*device)->target().threads);
  }
  CHECK(device_names().front() == "host");
  CHECK(device_names().back() == "emulator:wave64");
}

TEST_CASE("An unknown device is named with those that exist") {
  for (const char* name : {"", "cuda", "cuda:", "cuda:x", "host:", "host:sse9", "hosts"}) {
    INFO(name);
    const Status status = open_device(name, {}).status();
    CHECK(status.code() == absl::StatusCode::kNotFound);
    CHECK_THAT(std::string(status.message()), Contains("host:baseline"));
  }
}

TEST_CASE("A target tells the instruction set's vectors") {
  auto device = open_device("host:avx512bf16", {});
  REQUIRE(device.ok());
  CHECK((*device)->target().vector_lanes == 16);
  CHECK((*device)->target().vector_registers == 32);
  CHECK((*device)->target().bf16_dot);
  CHECK((*open_device("host:avx2", {}))->target().vector_lanes == 8);
  CHECK((*open_device("host:baseline", {}))->target().vector_lanes == 4);
}

TEST_CASE("The machine's description is plausible") {
  const Caches caches = processor_caches();
  CHECK(caches.l1_data >= 8 << 10);
  CHECK(caches.l2 >= 64 << 10);
  CHECK(caches.last >= caches.l1_data);
  CHECK(memory_for_problems() > 16 << 20);
  CHECK_THAT(processor_model(), Contains("family") && !Contains("/"));
  // A fingerprint is the same at every look.
  CHECK(host_fingerprint(runtime::best_instruction_set()) ==
        host_fingerprint(runtime::best_instruction_set()));
}

TEST_CASE("Opening a device and asking for an identity touches no file") {
  SmallKernels kernels;
  auto device = kernels.open();
  (void)device->code_identity(SmallKernels::scale(2));
  CHECK_FALSE(std::filesystem::exists(kernels.cache()));
}

TEST_CASE("A code identity follows everything that shapes the code, and nothing else") {
  SmallKernels kernels;
  const std::string before = kernels.open()->code_identity(SmallKernels::scale(2));
  CHECK(before == kernels.open()->code_identity(SmallKernels::scale(2)));
  CHECK(before != kernels.open()->code_identity(SmallKernels::scale(3)));
  CHECK(before != kernels.open("host:avx2")->code_identity(SmallKernels::scale(2)));
  kernels.add("other/kernel.h", "struct Other {};\n");
  CHECK(before == kernels.open()->code_identity(SmallKernels::scale(2)));
  kernels.add("scale/kernel.h", std::string(test::kScaleKernel) + "#include \"deep.h\"\n");
  kernels.add("scale/deep.h", "// one\n");
  const std::string one = kernels.open()->code_identity(SmallKernels::scale(2));
  kernels.add("scale/deep.h", "// two\n");
  CHECK(one != before);
  CHECK(one != kernels.open()->code_identity(SmallKernels::scale(2)));
  CHECK(kernels.compile(SmallKernels::scale(2)).code_identity ==
        kernels.open()->code_identity(SmallKernels::scale(2)));
}

TEST_CASE("Included files are found through others, circles and odd spelling") {
  const SourceTree tree = {{"a.h", "#include \"b/b.h\"\n"},
                           {"b/b.h", "  #  include\t\"c.h\" // beside\n#include \"../a.h\"\n"},
                           {"b/c.h", "#include <vector>\n#include \"missing.h\"\n#include \"x\n"},
                           {"c.h", ""},
                           {"unused.h", ""}};
  CHECK(included_files("#include \"a.h\"\n", tree) ==
        std::vector<std::string>{"a.h", "b/b.h", "b/c.h", "c.h"});
  CHECK(included_files("#include \"../../a.h\"", tree).empty());
}

TEST_CASE("A translation unit is readable text") {
  SmallKernels kernels;
  KernelSource source = SmallKernels::scale(2);
  source.config.push_back({"type", "Element", "tile::bf16"});
  source.config.push_back({"float", "softcap", "float(0.5)"});
  auto text = translation_unit(source, {.header = "tile/host.h"}, kernels.sources());
  REQUIRE(text.ok());
  CHECK(*text ==
        "#include \"tile/host.h\"\n#include \"scale/kernel.h\"\n\nnamespace {\nstruct Config {\n"
        "  static constexpr int factor = 2;\n  using Element = tile::bf16;\n"
        "  static constexpr float softcap = float(0.5);\n};\n}  // namespace\n\n"
        "KILN_ENTRIES(Config, Scale)\n");
}

TEST_CASE("A cache directory is made private") {
  SmallKernels kernels;
  kernels.compile(SmallKernels::scale(2));
  struct stat info;
  REQUIRE(stat(kernels.cache().c_str(), &info) == 0);
  CHECK((info.st_mode & 07777) == 0700);
}

TEST_CASE("A cache directory that others may write is refused") {
  SmallKernels kernels;
  REQUIRE(mkdir(kernels.cache().c_str(), 0700) == 0);
  REQUIRE(chmod(kernels.cache().c_str(), 0777) == 0);
  const Status status = kernels.open()->compile(SmallKernels::scale(2), {}).status();
  CHECK(status.code() == absl::StatusCode::kPermissionDenied);
  CHECK_THAT(std::string(status.message()), Contains("chmod 700"));
}

TEST_CASE("A cache directory of another user is refused") {
  if (geteuid() == 0) return;  // everything may be root's
  CHECK(CacheDirectory::open("/usr").status().code() == absl::StatusCode::kPermissionDenied);
}

TEST_CASE("A cache directory that is a file or nowhere is refused") {
  SmallKernels kernels;
  std::ofstream(kernels.cache()) << "a file";
  CHECK_FALSE(CacheDirectory::open(kernels.cache()).ok());
  CHECK_FALSE(CacheDirectory::open("/proc/nowhere/cache").ok());
  CHECK_FALSE(CacheDirectory::open("").ok());
}

TEST_CASE("Sources are written once and repaired when damaged") {
  SmallKernels kernels;
  auto cache = CacheDirectory::open(kernels.cache());
  REQUIRE(cache.ok());
  auto place = cache->install(kernels.sources());
  REQUIRE(place.ok());
  CHECK(test::read_text(*place + "/scale/kernel.h") == test::kScaleKernel);
  std::ofstream(*place + "/scale/kernel.h") << "damage";
  CHECK(*cache->install(kernels.sources()) == *place);
  CHECK(test::read_text(*place + "/scale/kernel.h") == test::kScaleKernel);
  size_t trees = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kernels.cache() + "/sources")) {
    (void)entry;
    ++trees;
  }
  CHECK(trees == 1);
  CHECK_FALSE(cache->install({{"../escape.h", ""}}).ok());
  CHECK_FALSE(cache->install({{"/escape.h", ""}}).ok());
}

TEST_CASE("A cache directory may be emptied while a device is open") {
  SmallKernels kernels;
  auto device = kernels.open();
  REQUIRE(device->compile(SmallKernels::scale(2), {}).ok());
  std::filesystem::remove_all(kernels.cache());
  CHECK(device->compile(SmallKernels::scale(2), {}).ok());
}

TEST_CASE("A full disk is reported with the remedy") {
  SmallKernels kernels;
  REQUIRE(mkdir(kernels.cache().c_str(), 0700) == 0);
  // Only root may mount; elsewhere this test shows nothing and says so.
  if (mount("tmpfs", kernels.cache().c_str(), "tmpfs", 0, "size=40k,mode=700") != 0) {
    WARN("no small disk to fill: not root, or mounting is not allowed");
    return;
  }
  std::ofstream(kernels.cache() + "/ballast") << std::string(12 << 10, 'x');
  const Status status = kernels.open()->compile(SmallKernels::scale(2), {}).status();
  umount(kernels.cache().c_str());
  INFO(status);
  CHECK(status.code() == absl::StatusCode::kResourceExhausted);
  CHECK_THAT(std::string(status.message()), Contains("free space there"));
}

}  // namespace
}  // namespace kiln::devices
