#include "devices/gpu/gpu_device.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "devices/device.h"
#include "devices/gpu/gpu_survey.h"
#include "runtime/hip/hip_driver.h"
#include "tests/support/scratch_directory.h"
#include "tests/support/shimmed_driver.h"

namespace kiln::devices {
namespace {

using Catch::Contains;
using testing::ShimmedDriver;

std::string why_not(const std::string& fault) {
  const ShimmedDriver driver(fault);
  const Status status = survey_gpus("cuda").status();
  INFO(fault << ": " << status);
  CHECK_FALSE(status.ok());
  return std::string(status.message());
}

TEST_CASE("A driver's devices are listed with what they are") {
  const ShimmedDriver driver("works");
  const auto survey = survey_gpus("cuda");
  INFO(survey.status());
  REQUIRE(survey.ok());
  CHECK(survey->driver == "CUDA driver 12.8");
  REQUIRE(survey->devices.size() == 2);
  const runtime::GpuProperties& first = survey->devices[0];
  CHECK(first.model == "Shim A100 80GB");
  CHECK(first.architecture == "sm_86");
  CHECK(first.multiprocessors == 2);
  CHECK(first.memory_bytes == int64_t{80} << 30);
}

TEST_CASE("A GPU is a device with a fingerprint, compiled for by the nearest target") {
  const ShimmedDriver driver("works");
  const auto device = open_device("cuda:0", {});
  INFO(device.status());
  REQUIRE(device.ok());
  CHECK((*device)->fingerprint().text() == "cuda/sm_86/sm_80/2/Shim A100 80GB 80 GiB");
  CHECK((*device)->target().architecture == "sm_80");
  CHECK((*device)->target().threads == 2);
  CHECK((*device)->target().scratchpad_bytes == 99 << 10);
  const Status old = open_device("cuda:1", {}).status();
  CHECK(old.code() == absl::StatusCode::kFailedPrecondition);
  CHECK_THAT(std::string(old.message()), Contains("sm_35") && Contains("sm_80"));
  CHECK(open_device("cuda:2", {}).status().code() == absl::StatusCode::kNotFound);
}

TEST_CASE("What is wrong with a driver is said, with the remedy, and costs only that driver") {
  CHECK_THAT(why_not("old"), Contains("11.4") && Contains("install a newer one"));
  CHECK_THAT(why_not("incomplete"), Contains("cuEventElapsedTime") && Contains("too old"));
  CHECK_THAT(why_not("no_device"), Contains("no device"));
  CHECK_THAT(why_not("aborts"), Contains("crashed"));
  CHECK(open_device("host", {}).ok());
}

TEST_CASE("A driver that hangs is given up") {
  const ShimmedDriver driver("hangs");
  const Status status = survey_gpus("cuda", std::chrono::milliseconds(400)).status();
  CHECK(status.code() == absl::StatusCode::kDeadlineExceeded);
  CHECK_THAT(std::string(status.message()), Contains("hangs"));
}

TEST_CASE("A missing driver is said with the remedy") {
  if (std::filesystem::exists("/dev/nvidiactl")) return;
  const Status status = open_device("cuda:0", {}).status();
  CHECK(status.code() == absl::StatusCode::kUnavailable);
  CHECK_THAT(std::string(status.message()), Contains("libcuda.so.1") && Contains("install"));
}

TEST_CASE("Targets are found for architectures between those that are compiled for") {
  CHECK(target_for("sm_80") == "sm_80");
  CHECK(target_for("sm_89") == "sm_80");
  CHECK(target_for("sm_90a") == "sm_90a");
  CHECK(target_for("sm_103") == "sm_100");
  CHECK(target_for("sm_121") == "sm_120");
  CHECK(target_for("gfx942") == "gfx942");
  for (const char* none : {"sm_75", "gfx1030", "sm_", "", "gfx94"}) {
    INFO(none);
    CHECK(target_for(none).empty());
  }
}

TEST_CASE("AMD's devices are read from the kernel's tree") {
  const testing::ScratchDirectory root;
  const std::string nodes = root / "sys/class/kfd/kfd/topology/nodes";
  auto write = [](const std::string& path, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path) << text;
  };
  write(nodes + "/0/properties", "cpu_cores_count 64\nsimd_count 0\n");
  write(nodes + "/10/properties",
        "simd_count 192\nsimd_per_cu 2\nlds_size_in_kb 64\ngfx_target_version 110000\n");
  write(nodes + "/2/properties",
        "simd_count 1216\nsimd_per_cu 4\nlds_size_in_kb 64\ngfx_target_version 90402\n");
  write(nodes + "/2/caches/7/properties", "level 2\nsize 4096\n");
  const auto found = runtime::kfd_nodes(root.path());
  REQUIRE(found.size() == 2);
  CHECK(found[0].architecture == "gfx942");
  CHECK(found[0].compute_units == 304);
  CHECK(found[0].l2_bytes == 4 << 20);
  CHECK(found[1].architecture == "gfx1100");
  CHECK(runtime::kfd_nodes(root / "nowhere").empty());
}

}  // namespace
}  // namespace kiln::devices
