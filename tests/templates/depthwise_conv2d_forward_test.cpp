#include <catch2/catch.hpp>
#include <random>

#include "core/key.h"
#include "tests/templates/variant.h"

namespace kiln::depthwise_conv2d_forward {

const Family& family();

namespace {

using test::Bench;
using test::Machine;
using test::machines;
using test::Spacing;

StatusOr<Problem> parse(const std::string& fields) {
  return test::parse_problem(family(), fields);
}

TEST_CASE("Default depthwise configs are right on every instruction set, type and layout") {
  for (const Machine& machine : machines()) {
    Bench bench(family(), machine.device, machine.forced_lanes, machine.paired_bf16);
    for (const char* dtype : {"f32", "f16", "bf16"}) {
      for (const char* layout : {"NCHW", "NHWC"}) {
        bench.verify_default(std::string("N=2 C=21 H=23 W=17 kh=3 kw=3 pad_h=1 pad_w=1 layout=") +
                             layout + " dtype=" + dtype);
      }
    }
    bench.verify_default("N=1 C=37 H=9 W=58 kh=7 kw=7 pad_h=3 pad_w=3 layout=NCHW dtype=f32");
  }
}

TEST_CASE("Depthwise convolution compiles for AVX-512 on any machine") {
  Bench bench(family(), "host:avx512");
  for (const char* dtype : {"f32", "f16", "bf16"}) {
    for (const char* layout : {"NCHW", "NHWC"}) {
      bench.compile_default(std::string("N=64 C=96 H=56 W=56 kh=7 kw=7 pad_h=3 pad_w=3 layout=") +
                            layout + " dtype=" + dtype);
    }
  }
}

// Sizes that one variant serves.
TEST_CASE("Any depthwise size, gap and offset is right") {
  struct Case {
    const char* layout;
    const char* config;
  };
  for (const Machine& machine : machines()) {
    Bench bench(family(), machine.device, machine.forced_lanes, machine.paired_bf16);
    for (const Case& c : {Case{"NCHW", "lanes=0 window=7 block_c=16 block_h=7 block_w=14"},
                          Case{"NCHW", "lanes=0 window=4 block_c=32 block_h=28 stores=1"},
                          Case{"NCHW", "lanes=1 window=4 block_c=16 block_h=14 block_w=14"},
                          Case{"NHWC", "window=7 block_c=32 block_h=7 block_w=14 prefetch=1"},
                          Case{"NHWC", "window=7 block_c=32 block_h=7 block_w=14 order=1"},
                          Case{"NHWC", "window=4 block_c=16 block_h=28 block_w=28 stores=1"},
                          Case{"NHWC", "vectors=2 window=4 block_c=32 block_w=28 stores=1"}}) {
      const std::string statics =
          std::string(" kh=5 kw=3 pad_h=2 pad_w=1 dtype=f32 layout=") + c.layout;
      const auto verify = [&](const std::string& sizes, const Spacing& spacing = {}) {
        const std::string fields = sizes + statics;
        bench.verify(fields, bench.config("N=1 C=99 H=30 W=30" + statics, c.config), spacing);
      };
      verify("N=1 C=1 H=1 W=1");
      verify("N=3 C=5 H=7 W=7");                          // planes of several images
      verify("N=2 C=33 H=2 W=30");                        // fewer rows than the kernel
      verify("N=1 C=16 H=31 W=2", {.lead = 1});           // fewer columns
      verify("N=2 C=40 H=15 W=29", {.optional = false});  // no bias
      verify("N=2 C=19 H=16 W=16", {.row_gap = 5, .lead = 3});
    }
  }
}

TEST_CASE("Kernels, strides, dilations, paddings and activations of depthwise convolution") {
  for (const Machine& machine : machines()) {
    Bench bench(family(), machine.device, machine.forced_lanes, machine.paired_bf16);
    for (const char* statics : {
             "kh=1 kw=1 layout=NCHW dtype=f32 activation=silu",
             "kh=1 kw=11 pad_w=5 layout=NCHW dtype=f32",
             "kh=11 kw=1 pad_h=5 layout=NHWC dtype=f16 activation=gelu",
             "kh=3 kw=3 stride=2 pad_h=1 pad_w=1 layout=NHWC dtype=bf16 activation=relu",
             "kh=3 kw=5 stride=3 stride_w=2 pad_h=0 pad_w=4 layout=NCHW dtype=f32",
             "kh=3 kw=3 dilation=2 pad_h=3 pad_w=2 layout=NHWC dtype=f32",
             "kh=4 kw=2 dilation=3 stride=2 pad_h=1 pad_w=0 layout=NCHW dtype=bf16",
             "kh=31 kw=31 pad_h=15 pad_w=15 layout=NCHW dtype=f32 bias=false",
         }) {
      const std::string sizes = std::string(statics).find("31") != std::string::npos
                                    ? "N=1 C=9 H=14 W=14 "
                                    : "N=2 C=18 H=20 W=23 ";
      bench.verify_default(sizes + statics);
    }
    // Columns in lanes: one row, and a column kernel with padding beside it.
    const std::string line = "N=1 C=5 H=1 W=70 kh=1 kw=4 layout=NCHW dtype=f32";
    bench.verify(line, bench.config(line, "lanes=1 window=1 block_c=16 block_w=28"));
    const std::string column = "N=1 C=3 H=30 W=17 kh=5 kw=1 pad_h=2 pad_w=2 layout=NCHW dtype=f16";
    bench.verify(column, bench.config(column, "lanes=1 window=7 block_c=16"));
    bench.verify(column, bench.config(column, "lanes=0 window=7 block_c=16 stores=1"));
  }
}

TEST_CASE("Random points of the depthwise space are right") {
  std::mt19937 random(5);
  for (const Machine& machine : machines()) {
    Bench bench(family(), machine.device, machine.forced_lanes, machine.paired_bf16);
    for (const char* fields :
         {"N=8 C=80 H=7 W=7 kh=7 kw=7 pad_h=3 pad_w=3 layout=NHWC dtype=f16",
          "N=8 C=96 H=56 W=56 kh=7 kw=7 pad_h=3 pad_w=3 layout=NCHW dtype=f32",
          "N=8 C=24 H=28 W=28 kh=11 kw=1 pad_h=5 layout=NCHW dtype=bf16",
          "N=4 C=144 H=56 W=56 kh=3 kw=3 stride=2 pad_h=1 pad_w=1 layout=NHWC dtype=f16"}) {
      bench.verify_random_points(fields, {.least = 21, .count = 2}, random);
    }
  }
}

TEST_CASE("The depthwise default is a point of the space, whatever the problem and target") {
  for (int lanes : {4, 8, 16}) {
    for (int threads : {1, 2, 64}) {
      const Target target{.kind = "host",
                          .architecture = "avx2",
                          .vector_lanes = lanes,
                          .vector_registers = lanes == 16 ? 32 : 16,
                          .threads = threads};
      for (const char* sizes : {"N=1 C=1 H=1 W=1", "N=1 C=12288 H=1 W=16384", "N=8 C=768 H=7 W=7",
                                "N=64 C=10 H=56 W=56", "N=1 C=3 H=500 W=3"}) {
        for (const char* kernel :
             {"kh=1 kw=1", "kh=1 kw=11 pad_w=5", "kh=11 kw=1 pad_h=5",
              "kh=3 kw=3 stride=2 pad_h=1 pad_w=1", "kh=31 kw=31 pad_h=15 pad_w=15",
              "kh=255 kw=255 pad_h=127 pad_w=127 dilation=2"}) {
          for (const char* layout : {"layout=NCHW dtype=f32", "layout=NHWC dtype=bf16"}) {
            const auto problem = parse(std::string(sizes) + " " + kernel + " " + layout);
            REQUIRE(problem.ok());
            if (!family().check(*problem).ok()) continue;
            const Config config = family().default_config(*problem, target);
            CAPTURE(problem->text(), config.text(), lanes, threads);
            const Status status = family().space(*problem, target).check(config);
            INFO(status);
            CHECK(status.ok());
          }
        }
      }
    }
  }
}

TEST_CASE("Rows of workload files are depthwise problems as they stand") {
  const auto problem = parse(
      "op=fwd N=128 C=96 H=56 W=56 kh=7 kw=7 stride=1 pad_h=3 pad_w=3 dilation=1 layout=NCHW "
      "dtype=f32 bias=1");
  INFO(problem.status());
  REQUIRE(problem.ok());
  CHECK(problem->integer("batch") == 128);
  CHECK(problem->boolean("bias"));
  for (const char* column : {"id", "model", "variant", "Ho", "Wo", "macs", "source"})
    CHECK(family().schema().ignores(column));
  const auto backward = parse("op=bwd_data N=1 C=1 H=1 W=1 kh=1 kw=1 dtype=f32");
  REQUIRE_FALSE(backward.ok());
  CHECK(field_violation(backward.status())->field == "op");
}

TEST_CASE("Columns stepped as rows are one depthwise problem, however they are given") {
  const auto key_of = [](const std::string& fields) {
    return problem_key(*parse("N=1 C=8 H=9 W=9 kh=3 kw=3 dtype=f32" + fields));
  };
  CHECK(key_of("") == key_of(" stride=1 stride_w=1 dilation=1 dilation_w=1"));
  CHECK(key_of(" stride=2") == key_of(" stride=2 stride_w=2"));
  CHECK(key_of(" dilation=3") == key_of(" dilation=3 dilation_w=3"));
  CHECK(key_of(" stride=2") != key_of(" stride=2 stride_w=1"));
}

TEST_CASE("Depthwise problems without outputs are refused by name") {
  const auto field_of = [](const std::string& fields) {
    const auto problem = parse(fields + " dtype=f32");
    REQUIRE(problem.ok());
    const auto violation = field_violation(family().check(*problem));
    return violation ? violation->field : std::string();
  };
  CHECK(field_of("N=1 C=1 H=7 W=7 kh=7 kw=7").empty());
  CHECK(field_of("N=1 C=1 H=6 W=7 kh=7 kw=7") == "height");
  CHECK(field_of("N=1 C=1 H=7 W=6 kh=7 kw=3 dilation=3 pad_h=6") == "width");
  CHECK(field_of("N=1048576 C=1048576 H=1048576 W=1 kh=1 kw=1") == "batch");
}

TEST_CASE("Depthwise work is counted by the stated convention") {
  const auto cost = [](const std::string& fields) { return family().cost(*parse(fields)); };
  const Cost seven =
      cost("N=2 C=3 H=10 W=12 kh=7 kw=7 pad_h=3 pad_w=3 dtype=f16 layout=NHWC bias=true");
  CHECK(seven.flops == 2.0 * 2 * 3 * 10 * 12 * 49);
  CHECK(seven.bytes == 2.0 * (2 * 2 * 3 * 10 * 12 + 3 * 50));
  CHECK_FALSE(seven.bandwidth_bound);
  const Cost three = cost("N=2 C=3 H=9 W=9 kh=3 kw=3 stride=2 dtype=f32 bias=false");
  CHECK(three.flops == 2.0 * 2 * 3 * 4 * 4 * 9);
  CHECK(three.bytes == 4.0 * (2 * 3 * (81 + 16) + 3 * 9));
  CHECK(three.bandwidth_bound);
}

}  // namespace
}  // namespace kiln::depthwise_conv2d_forward
