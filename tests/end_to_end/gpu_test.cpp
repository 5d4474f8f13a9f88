// GPUs as processes see them: a daemon and the embedded service over the tests' driver and
// compiler, with the kernels of real families on the emulator behind them.

#include <catch2/catch.hpp>
#include <filesystem>

#include "tests/end_to_end/house.h"
#include "tests/support/shimmed_driver.h"

namespace kiln::test {
namespace {

using Catch::Contains;
using testing::ShimmedDriver;
using Words = std::vector<std::string>;

const Words kDepthwise = {"depthwise_conv2d_forward",
                          "batch=1",
                          "channels=8",
                          "height=6",
                          "width=6",
                          "kernel_h=3",
                          "kernel_w=3",
                          "pad_h=1",
                          "pad_w=1",
                          "dtype=f16",
                          "layout=NHWC"};

Words with(std::string command, const Words& flags) {
  Words words = {std::move(command)};
  words.insert(words.end(), kDepthwise.begin(), kDepthwise.end());
  words.insert(words.end(), flags.begin(), flags.end());
  return words;
}

}  // namespace

TEST_CASE("a daemon tunes on a GPU beside the host") {
  const ShimmedDriver driver;
  House house;
  house.open("never", {"--device", "host", "--device", "cuda:0"});
  const auto miss = house.ask(with("get", {"--device", "cuda:0"}));
  CHECK(miss["provenance"]["kind"] == "default");

  const auto tuned = house.ask(with("tune", {"--device", "cuda:0", "--budget", "4e"}));
  CHECK(tuned["job"]["state"] == "succeeded");
  CHECK(tuned["winner"]["measurement"]["verification"]["seeds"] >= 2);
  CHECK(tuned["winner"]["measurement"]["toolchain"] == "NVRTC 12.8, CUDA driver 12.8");

  const auto hit = house.ask(with("get", {"--device", "cuda:0", "--frozen"}));
  CHECK(hit["provenance"]["kind"] == "tuned");
  CHECK(hit["device"] == "cuda:0");
  CHECK(house.tunectl(with("get", {"--frozen"})).exit_code == 4);  // the host knows nothing of it

  const auto devices = house.ask({"devices"});
  REQUIRE(devices["devices"].size() == 2);
  CHECK(devices["devices"][1]["name"] == "cuda:0");
  CHECK(devices["devices"][1]["can_compile"] == true);
  CHECK(house.ask({"devices", "--device", "cuda:0"})["devices"].size() == 1);
  const auto elsewhere = house.tunectl(with("get", {"--device", "cuda:1"}));
  CHECK(elsewhere.exit_code != 0);
  CHECK_THAT(elsewhere.err, Contains("cuda:1") && Contains("cuda:0"));
}

TEST_CASE("the embedded service serves the device that a command names") {
  const ShimmedDriver driver;
  House house;
  const auto embedded = [&](Words words) {
    words.insert(words.end(), {"--embedded", "--state-dir", house.state()});
    return words;
  };
  for (const char* device : {"cuda:0", "emulator:wave64"}) {
    const auto tuned = house.ask(embedded(with("tune", {"--device", device, "--budget", "2e"})));
    INFO(device);
    CHECK(tuned["job"]["state"] == "succeeded");
    const auto known = house.ask(embedded(with("get", {"--device", device, "--frozen"})));
    CHECK(known["device"] == device);
    CHECK(known["provenance"]["kind"] == "tuned");
  }
  const auto old = house.tunectl(embedded(with("tune", {"--device", "cuda:1"})));
  CHECK(old.exit_code == 1);
  CHECK_THAT(old.err, Contains("sm_35") && Contains("sm_80"));
}

}  // namespace kiln::test
