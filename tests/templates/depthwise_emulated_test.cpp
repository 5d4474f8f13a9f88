// Depthwise convolution on emulated GPUs, with all checks of the emulator on. A failure prints the
// seed by which the order of threads was drawn.

#include <catch2/catch.hpp>
#include <string>

#include "runtime/emulator/emulation.h"
#include "tests/templates/variant.h"

namespace kiln::depthwise_conv2d_forward {

const Family& family();

namespace {

using test::Bench;
using test::Spacing;

constexpr const char* kDevices[] = {"emulator:warp32", "emulator:wave64"};

TEST_CASE("Emulated depthwise convolution is right for any size, gap and offset") {
  struct Case {
    const char* statics;
    const char* config;
  };
  for (const char* device : kDevices) {
    Bench bench(family(), device);
    for (const Case& c : {
             Case{"layout=NCHW dtype=f16", "lanes=0 window=7 block_h=7 block_w=14 warps=2"},
             Case{"layout=NCHW dtype=f32", "lanes=1 window=4 block_h=14 block_w=14 warps=4"},
             Case{"layout=NHWC dtype=bf16", "window=7 block_h=7 block_w=14 warps=4"},
             Case{"layout=NHWC dtype=f32", "vectors=2 window=4 block_h=4 block_w=7 warps=1"},
         }) {
      const std::string statics = std::string(" kh=5 kw=3 pad_h=2 pad_w=1 ") + c.statics;
      const auto verify = [&](const std::string& sizes, const Spacing& spacing = {}) {
        std::string changes = c.config;
        if (changes.starts_with("vectors=2")) {
          changes += " block_c=" + std::to_string(2 * bench.target().vector_lanes);
        }
        bench.verify(sizes + statics, bench.config(sizes + statics, changes), spacing);
      };
      verify("N=1 C=1 H=1 W=1");
      verify("N=3 C=5 H=7 W=7");
      verify("N=1 C=33 H=2 W=30");
      verify("N=1 C=16 H=17 W=2", {.lead = 1});
      verify("N=1 C=40 H=9 W=15", {.optional = false});
      verify("N=1 C=19 H=16 W=16", {.row_gap = 5, .lead = 3});
    }
  }
}

TEST_CASE("Emulated depthwise defaults are right for every kind of kernel") {
  for (uint64_t seed : {1, 2}) {
    runtime::emulator::set_seed(seed);
    for (const char* device : kDevices) {
      Bench bench(family(), device);
      for (const char* fields : {
               "N=1 C=5 H=9 W=12 kh=1 kw=1 layout=NCHW dtype=f32 activation=silu",
               "N=1 C=4 H=9 W=41 kh=1 kw=11 pad_w=5 layout=NCHW dtype=f32",
               "N=1 C=35 H=12 W=7 kh=11 kw=1 pad_h=5 layout=NHWC dtype=f16 activation=gelu",
               ("N=2 C=18 H=9 W=9 kh=3 kw=3 stride=2 pad_h=1 pad_w=1 layout=NHWC dtype=bf16 "
                "activation=relu"),
               "N=1 C=7 H=12 W=13 kh=3 kw=5 stride=3 stride_w=2 pad_w=4 layout=NCHW dtype=f32",
               "N=1 C=18 H=11 W=8 kh=3 kw=3 dilation=2 pad_h=3 pad_w=2 layout=NHWC dtype=f32",
               "N=1 C=3 H=14 W=14 kh=13 kw=13 pad_h=6 pad_w=6 layout=NCHW dtype=f32 bias=false",
           }) {
        bench.verify_default(fields);
      }
    }
  }
  runtime::emulator::set_seed(1);
}

}  // namespace
}  // namespace kiln::depthwise_conv2d_forward
