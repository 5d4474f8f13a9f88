#include <catch2/catch.hpp>
#include <cstring>
#include <fstream>
#include <sstream>

#include "client/tunectl/config_words.h"
#include "client/tunectl/connection.h"
#include "client/tunectl/failure.h"
#include "client/tunectl/npy.h"
#include "tests/support/scratch_directory.h"
#include "tests/tunectl/command_line.h"

namespace kiln::tunectl {
namespace {

using Catch::Contains;

const std::string kProblem =
    "attention_forward batch=1 heads_q=2 heads_kv=1 seq_q=20 seq_kv=24 head_dim=32 dtype=f32";

struct Bench {
  testing::ScratchDirectory directory;
  CommandLine line{[](const GlobalOptions&) -> StatusOr<std::unique_ptr<Connection>> {
    FAIL("no service is needed");
    return absl::InternalError("");
  }};

  int run(const std::string& words) { return line.run(words + " --state-dir " + directory.path()); }
  std::string file(const std::string& name) const {
    std::ifstream stream(directory / name, std::ios::binary);
    INFO(name);
    REQUIRE(stream);
    std::stringstream text;
    text << stream.rdbuf();
    return text.str();
  }
};

TEST_CASE("A variant is compiled without a service and leaves enough to run it") {
  Bench bench;
  REQUIRE(bench.run("compile " + kProblem + " --target host:baseline --out " +
                    (bench.directory / "made")) == 0);
  CHECK_THAT(bench.line.out(), Contains("clang"));
  CHECK(bench.file("made/kernel.so").substr(1, 3) == "ELF");
  const Json sheet = Json::parse(bench.file("made/launch.json"));
  CHECK(sheet["artifact"]["file"] == "kernel.so");
  const Json& step = sheet["steps"][0];
  CHECK(step["launch"] == "forward");
  // q, k, v, o with four strides each, lse with three, six sizes, a scale.
  CHECK(step["parameter_bytes"] == 8 * (4 * 5 + 4 + 6 + 1));
  int offset = 0;
  for (const Json& parameter : step["parameters"]) {
    CHECK(parameter["offset"] == offset);
    offset += 8;
  }
  CHECK(offset == step["parameter_bytes"]);
  CHECK(step["parameters"][0] == Json({{"type", "pointer"}, {"buffer", "q"}, {"offset", 0}}));
  const Json& q = sheet["buffers"][0];
  CHECK(q["shape"] == Json({1, 20, 2, 32}));
  CHECK(q["strides"] == Json({1280, 32, 640, 1}));
  CHECK(q["role"] == "input");
  CHECK(q["bytes"] == 20 * 2 * 32 * 4);
}

TEST_CASE("A variant that copies by tensor maps leaves what they are encoded from") {
  Bench bench;
  REQUIRE(bench.run("compile attention_forward batch=1 heads_q=2 heads_kv=1 seq_q=70 seq_kv=90 "
                    "head_dim=64 dtype=bf16 layout=bshd --target emulator:warp32 --config "
                    "'fragment=wgmma_m64k16 block_m=64 block_n=32 warps=4 roles=producer "
                    "copies=bulk key_splits=1' --out " +
                    (bench.directory / "made")) == 0);
  const Json sheet = Json::parse(bench.file("made/launch.json"));
  const Json& step = sheet["steps"][0];
  CHECK(step["launch"] == "forward_mapped");
  const Json& parameters = step["parameters"];
  REQUIRE(parameters.size() == 31 + 4);
  CHECK(parameters[31] == Json({{"type", "tensor_map"},
                                {"buffer", "k"},
                                {"bytes", 128},
                                {"dtype", "bf16"},
                                {"axes", {3, 1, 2, 0}},
                                {"sizes", {64, 90, 1, 1}},
                                {"strides_bytes", {128, 128, 11520}},
                                {"box", {64, 32, 1, 1}},
                                {"swizzle", "128B"},
                                {"offset", 256}}));
  CHECK(parameters[32] ==
        Json({{"type", "i64"}, {"value", 1}, {"map_of", "k"}, {"offset", 256 + 128}}));
  CHECK(parameters[33]["buffer"] == "v");
  CHECK(parameters[33]["offset"] == 256 + 192);
  CHECK(step["parameter_bytes"] == 256 + 2 * 192);
}

TEST_CASE("What cannot be compiled is refused with what there is") {
  Bench bench;
  CHECK(bench.run("compile " + kProblem + " --target sm_20") == int(ExitCode::kNotFound));
  CHECK_THAT(bench.line.err(), Contains("sm_20") && Contains("sm_90a") && Contains("gfx942"));
  CHECK(bench.run("compile " + kProblem + " --target host --config block_m=7") ==
        int(ExitCode::kUsage));
  CHECK_THAT(bench.line.err(), Contains("block_m"));
  CHECK(bench.run("compile nothing a=1") == int(ExitCode::kNotFound));
  CHECK(bench.run("compile " + kProblem + " --all --emit ptx") == int(ExitCode::kUsage));
  CHECK(bench.run("compile " + kProblem + " --emit ptx") != 0);
  CHECK_THAT(bench.line.err(), Contains("sm_"));
}

TEST_CASE("A whole space is compiled and summed up") {
  Bench bench;
  REQUIRE(bench.run("compile attention_forward batch=1 heads_q=1 heads_kv=1 seq_q=1 seq_kv=8 "
                    "head_dim=16 dtype=f32 --target host:baseline --all --output json -q --out " +
                    (bench.directory / "all")) == 0);
  const Json document = bench.line.json();
  CHECK(document["compiled"] == document["variants"].size());
  CHECK(document["compiled"] > 0);
  CHECK(document["failed"] == 0);
  CHECK(document["admitted"] == document["compiled"]);
  CHECK(Json::parse(bench.file("all/variants.json")) == document);
}

TEST_CASE("A sample is spread over the space") {
  Bench bench;
  CHECK(bench.run("compile " + kProblem + " --sample 2") == int(ExitCode::kUsage));
  REQUIRE(bench.run("compile " + kProblem +
                    " --target host:baseline --all --sample 2 --output json -q") == 0);
  const Json document = bench.line.json();
  CHECK(document["admitted"] > 2);
  REQUIRE(document["variants"].size() == 2);
  CHECK(document["variants"][0]["config"] != document["variants"][1]["config"]);
}

TEST_CASE("A config takes labels and values, and keeps what is left out") {
  const Space space(1,
                    {{.name = "lanes", .values = {0, 1}, .labels = {"rows", "columns"}},
                     {.name = "block_m", .values = {16, 32}}},
                    {});
  const Config base({{"lanes", 0}, {"block_m", 16}});
  CHECK(read_config(space, base, "")->text() == "lanes=0 block_m=16");
  CHECK(read_config(space, base, "lanes=columns,block_m=32")->text() == "lanes=1 block_m=32");
  CHECK(read_config(space, base, "lanes=1")->text() == "lanes=1 block_m=16");
  for (const char* text : {"lanes=2", "block_m=17", "block_n=16", "block_m", "=3"}) {
    INFO(text);
    CHECK_FALSE(read_config(space, base, text).ok());
  }
}

TEST_CASE("A workload holds inputs, expected outputs and tolerances") {
  Bench bench;
  REQUIRE(bench.run("workload " + kProblem + " --seed 5 --out " + (bench.directory / "load")) == 0);
  const Json document = Json::parse(bench.file("load/workload.json"));
  CHECK(document["reference_units"] == 2 * 20);
  CHECK(document["reference_units_total"] == 2 * 20);
  const std::string q = bench.file("load/q.npy");
  CHECK(q.substr(1, 5) == "NUMPY");
  CHECK_THAT(q.substr(0, 128), Contains("'<f4'") && Contains("(1, 2, 20, 32)"));
  const size_t header = q.size() - 20 * 2 * 32 * 4;
  CHECK(header % 64 == 0);
  const std::string expected = bench.file("load/o.expected.npy");
  CHECK_THAT(expected.substr(0, 128), Contains("'<f8'"));
  const std::string tolerance = bench.file("load/o.tolerance.npy");
  CHECK(tolerance.size() == expected.size());
  double first = 0;
  std::memcpy(&first, tolerance.data() + (tolerance.size() - 20 * 2 * 32 * 8), sizeof first);
  CHECK(first > 0);
  CHECK(first < 1e-2);
}

TEST_CASE("Arrays are written as NumPy reads them") {
  const std::vector<int64_t> shape = {3};
  const std::string file = npy_file("<u2", shape, "abcdef");
  CHECK(file.substr(0, 8) == std::string("\x93NUMPY\x01\0", 8));
  const size_t length = size_t(uint8_t(file[8])) | size_t(uint8_t(file[9])) << 8;
  CHECK((10 + length) % 64 == 0);
  CHECK(file[10 + length - 1] == '\n');
  CHECK(file.substr(10, length).find("'shape': (3,)") != std::string::npos);
  CHECK(file.substr(10 + length) == "abcdef");
}

}  // namespace
}  // namespace kiln::tunectl
