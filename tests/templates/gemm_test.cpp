#include <catch2/catch.hpp>
#include <random>

#include "tests/templates/variant.h"

namespace kiln::gemm {

const Family& family();

namespace {

using test::Bench;
using test::Machine;
using test::machines;
using test::Spacing;

TEST_CASE("Default gemm configs are right on every instruction set, type and transposition") {
  for (const Machine& machine : machines()) {
    Bench bench(family(), machine.device, machine.forced_lanes, machine.paired_bf16);
    for (const char* dtype : {"f32", "f16", "bf16"}) {
      for (const char* transposed :
           {"", " transpose_a=true", " transpose_b=true", " transpose_a=true transpose_b=true"}) {
        bench.verify_default(std::string("batch=2 m=53 n=75 k=41 dtype=") + dtype + transposed);
      }
    }
  }
}

// Sizes that one variant serves: one more and one less than tiles, panels and vectors.
TEST_CASE("Any gemm size, gap and offset is right") {
  for (const Machine& machine : machines()) {
    Bench bench(family(), machine.device, machine.forced_lanes, machine.paired_bf16);
    for (const char* statics : {"dtype=f32", "dtype=f32 transpose_a=true transpose_b=true",
                                "dtype=bf16", "dtype=bf16 transpose_a=true transpose_b=true"}) {
      const std::string rest = std::string(" ") + statics;
      const Config config =
          bench.config("m=96 n=384 k=64" + rest, "block_m=24 block_n=192 block_k=32");
      const auto verify = [&](const std::string& sizes, const Spacing& spacing = {}) {
        bench.verify(sizes + rest, config, spacing);
      };
      verify("m=1 n=1 k=1");
      verify("m=24 n=192 k=32");
      verify("m=25 n=193 k=33");
      verify("m=23 n=191 k=31", {.row_gap = 3});
      verify("m=7 n=65 k=96", {.lead = 1});
      verify("m=50 n=17 k=1", {.row_gap = 5, .lead = 3});
      verify("batch=3 m=6 n=15 k=67", {.row_gap = 1});
      verify("m=2 n=400 k=1024");  // rows 2 KiB apart, or a multiple of it
    }
  }
}

// Rows that are read in place, whatever fills them.
TEST_CASE("Few rows of gemm are right") {
  for (const Machine& machine : machines()) {
    Bench bench(family(), machine.device, machine.forced_lanes, machine.paired_bf16);
    for (const char* statics : {"dtype=f32", "dtype=f32 transpose_a=true transpose_b=true",
                                "dtype=bf16 transpose_b=true", "dtype=f16 transpose_a=true"}) {
      const std::string rest = std::string(" ") + statics;
      for (const char* m : {"m=1", "m=3", "m=4"}) {
        const Config config = bench.config(m + (" n=96 k=64" + rest), "block_n=48 block_k=32");
        const auto verify = [&](const std::string& sizes, const Spacing& spacing = {}) {
          bench.verify(m + (" " + sizes) + rest, config, spacing);
        };
        verify("n=1 k=1");
        verify("n=48 k=32");
        verify("n=49 k=65", {.row_gap = 3, .lead = 1});
        verify("batch=2 n=123 k=31");
      }
      bench.verify_default(
          "batch=2 m=2 n=70 k=29 bias=columns activation=gelu residual=true" + rest,
          {.row_gap = 1});
    }
  }
}

TEST_CASE("Biases, activations, residuals and factors of gemm") {
  for (const Machine& machine : machines()) {
    Bench bench(family(), machine.device, machine.forced_lanes, machine.paired_bf16);
    for (const char* epilogue : {
             "bias=rows dtype=f32",
             "bias=columns activation=relu dtype=f32 alpha=-0.5",
             "residual=true dtype=f32 beta=0.25",
             "bias=columns activation=gelu residual=true dtype=f32 alpha=2 beta=-1",
             "bias=rows activation=silu residual=true dtype=f16",
             "bias=columns activation=gelu dtype=bf16",
             "activation=silu dtype=f16 alpha=3",
         }) {
      const std::string sizes = "batch=2 m=37 n=70 k=29 ";
      bench.verify_default(sizes + epilogue);
      bench.verify_default(sizes + epilogue, {.row_gap = 3, .lead = 1});
    }
  }
}

TEST_CASE("Random points of the gemm space are right") {
  Bench bench(family(), Bench::available("host:avx2") ? "host:avx2" : "host:baseline");
  std::mt19937 random(5);
  for (const char* fields :
       {"m=512 n=512 k=512 dtype=f32", "m=50176 n=384 k=96 dtype=f32 bias=columns activation=gelu",
        "m=197 n=768 k=3072 dtype=bf16 transpose_b=true residual=true",
        "batch=12 m=197 n=197 k=64 dtype=f16 transpose_a=true"}) {
    bench.verify_random_points(fields, {.least = 21, .count = 4}, random);
  }
}

TEST_CASE("The gemm default is a point of the space, whatever the problem and target") {
  for (int lanes : {4, 8, 16}) {
    for (int threads : {1, 2, 64}) {
      for (int64_t l2_bytes : {64 << 10, 512 << 10, 2 << 20}) {
        const Target target{.kind = "host",
                            .architecture = "avx2",
                            .vector_lanes = lanes,
                            .vector_registers = lanes == 16 ? 32 : 16,
                            .threads = threads,
                            .l2_bytes = l2_bytes};
        for (const char* sizes :
             {"m=1 n=1 k=1", "m=1 n=4096 k=4096", "m=1000000 n=7 k=3", "m=7 n=1000000 k=3",
              "m=5 n=5 k=1000000", "m=2048 n=2048 k=2048", "batch=96 m=197 n=197 k=64"}) {
          const auto problem =
              test::parse_problem(family(), std::string(sizes) + " dtype=f32 transpose_b=true");
          REQUIRE(problem.ok());
          const Config config = family().default_config(*problem, target);
          CAPTURE(problem->text(), config.text(), lanes, threads, l2_bytes);
          const Status status = family().space(*problem, target).check(config);
          INFO(status);
          CHECK(status.ok());
        }
      }
    }
  }
}

TEST_CASE("Gemm problems that no memory holds are refused by name") {
  const auto field_of = [](const std::string& fields) {
    const auto problem = test::parse_problem(family(), fields + " dtype=f32");
    REQUIRE(problem.ok());
    const auto violation = field_violation(family().check(*problem));
    return violation ? violation->field : std::string();
  };
  CHECK(field_of("m=2048 n=2048 k=2048").empty());
  CHECK(field_of("m=1073741824 n=1 k=1073741824") == "m");
  CHECK(field_of("m=1 n=1073741824 k=1073741824") == "n");
  CHECK(field_of("m=1073741824 n=1073741824 k=1") == "batch");
  const auto eight_bits = test::parse_problem(family(), "m=1 n=1 k=1 dtype=f8e4m3");
  REQUIRE_FALSE(eight_bits.ok());
  CHECK(field_violation(eight_bits.status())->field == "dtype");
}

TEST_CASE("Gemm work is counted by the stated convention") {
  const auto cost = [](const std::string& fields) {
    return family().cost(*test::parse_problem(family(), fields));
  };
  const Cost square = cost("batch=2 m=300 n=400 k=500 dtype=f32");
  CHECK(square.flops == 2.0 * 2 * 300 * 400 * 500);
  CHECK(square.bytes == 4.0 * 2 * (300 * 500 + 500 * 400 + 300 * 400));
  CHECK_FALSE(square.bandwidth_bound);
  const Cost row = cost("m=1 n=400 k=500 dtype=bf16 bias=columns residual=true");
  CHECK(row.bytes == 2.0 * (500 + 500 * 400 + 2 * 400 + 400));
  CHECK(row.bandwidth_bound);
}

}  // namespace
}  // namespace kiln::gemm
