#include <catch2/catch.hpp>
#include <cstdlib>
#include <random>

#include "templates/attention_forward/search_space.h"
#include "tests/templates/variant.h"

namespace kiln::attention_forward {

const Family& family();

namespace {

using test::Bench;
using test::Machine;
using test::machines;
using test::Spacing;

const std::string kRows = "lanes=0 register_rows=2 block_n=48 block_m=";

TEST_CASE("Default configs are right on every instruction set, type and shape") {
  for (const Machine& machine : machines()) {
    Bench bench(family(), machine.device, machine.forced_lanes, machine.paired_bf16);
    for (const char* dtype : {"f32", "f16", "bf16"}) {
      const std::string type = std::string(" dtype=") + dtype;
      bench.verify_default(
          "batch=2 heads_q=6 heads_kv=2 seq_q=113 seq_kv=203 head_dim=64 causal=true" + type);
      bench.verify_default("batch=1 heads_q=4 heads_kv=1 seq_q=1 seq_kv=239 head_dim=128" + type);
      // Rows that fill panels badly.
      bench.verify_default("batch=1 heads_q=2 heads_kv=2 seq_q=77 seq_kv=77 head_dim=64" + type);
    }
  }
}

TEST_CASE("Attention compiles for AVX-512 on any machine") {
  for (const char* device : {"host:avx512", "host:avx512bf16"}) {
    Bench bench(family(), device);
    for (const char* dtype : {"f32", "f16", "bf16"}) {
      const std::string type = std::string(" head_dim=80 dtype=") + dtype;
      bench.compile_default("batch=1 heads_q=6 heads_kv=2 seq_q=300 seq_kv=300 causal=true" + type);
      bench.compile_default("batch=1 heads_q=4 heads_kv=1 seq_q=1 seq_kv=4096" + type);
    }
  }
}

TEST_CASE("Lengths, masks and strides of one variant") {
  for (const Machine& machine : machines()) {
    Bench bench(family(), machine.device, machine.forced_lanes, machine.paired_bf16);
    const std::string tail = " head_dim=40 dtype=f32";
    for (const char* lanes : {"rows", "columns"}) {
      const bool columns = std::string(lanes) == "columns";
      const std::string changes = columns ? "lanes=1 block_n=32 block_m=4" : kRows + "64";
      auto verify = [&](const std::string& fields, const Spacing& spacing = {}) {
        bench.verify(fields, bench.config(fields, changes), spacing);
      };
      // Fewer keys than a chunk; more queries than keys, so that causal rows are empty.
      verify("batch=1 heads_q=2 heads_kv=1 seq_q=70 seq_kv=5" + tail);
      verify("batch=1 heads_q=2 heads_kv=2 seq_q=70 seq_kv=33 causal=true" + tail);
      verify("batch=1 heads_q=2 heads_kv=1 seq_q=33 seq_kv=129 causal=true" + tail,
             {.row_gap = 3, .lead = 5});
      verify("batch=2 heads_q=2 heads_kv=1 seq_q=65 seq_kv=96 layout=bshd" + tail, {.row_gap = 8});
      verify("batch=1 heads_q=1 heads_kv=1 seq_q=100 seq_kv=120 window_left=17 window_right=9" +
             tail);
      verify("batch=1 heads_q=1 heads_kv=1 seq_q=100 seq_kv=90 window_left=0 window_right=0" +
             tail);
      verify("batch=1 heads_q=1 heads_kv=1 seq_q=100 seq_kv=120 causal=true window_left=7" + tail);
      verify("batch=1 heads_q=1 heads_kv=1 seq_q=64 seq_kv=64 softmax_scale=0.5" + tail,
             {.optional = false});
      // Large logits.
      verify("batch=1 heads_q=1 heads_kv=1 seq_q=64 seq_kv=100" + tail, {.deviation = 30});
    }
  }
}

TEST_CASE("Head dimensions that fill no vector, softcap, packed heads, split keys") {
  for (const Machine& machine : machines()) {
    Bench bench(family(), machine.device, machine.forced_lanes, machine.paired_bf16);
    auto verify = [&](const std::string& fields, const std::string& changes) {
      bench.verify(fields, bench.config(fields, changes));
    };
    verify("batch=1 heads_q=2 heads_kv=1 seq_q=40 seq_kv=70 head_dim=8 dtype=bf16", kRows + "64");
    verify("batch=1 heads_q=2 heads_kv=1 seq_q=40 seq_kv=70 head_dim=72 dtype=bf16 causal=true",
           kRows + "64");
    verify("batch=1 heads_q=1 heads_kv=1 seq_q=33 seq_kv=70 head_dim=256 dtype=f16", kRows + "32");
    verify("batch=1 heads_q=1 heads_kv=1 seq_q=60 seq_kv=70 head_dim=64 dtype=f32 softcap=50",
           kRows + "64");
    // Three queries of four heads: twelve rows, of which one token's are together.
    const std::string packed =
        "batch=2 heads_q=8 heads_kv=2 seq_q=3 seq_kv=150 head_dim=24 causal=true dtype=";
    verify(packed + "f32", kRows + "32 pack_heads=1");
    verify(packed + "bf16", "lanes=1 block_m=8 block_n=32 pack_heads=1");
    const std::string split = "batch=1 heads_q=4 heads_kv=2 seq_q=2 seq_kv=500 head_dim=64 dtype=";
    verify(split + "f32", kRows + "32 pack_heads=1 key_splits=8");
    verify(split + "f16", "lanes=1 block_m=2 block_n=32 pack_heads=0 key_splits=4");
    // More parts than chunks: some have no key at all.
    verify("batch=1 heads_q=1 heads_kv=1 seq_q=70 seq_kv=100 head_dim=64 causal=true dtype=f32",
           kRows + "64 key_splits=8");
  }
}

TEST_CASE("Random points of the space are right") {
  std::mt19937 random(11);
  for (const Machine& machine : machines()) {
    Bench bench(family(), machine.device, machine.forced_lanes, machine.paired_bf16);
    for (const char* fields :
         {"batch=1 heads_q=2 heads_kv=1 seq_q=600 seq_kv=700 head_dim=64 dtype=f32",
          "batch=1 heads_q=2 heads_kv=2 seq_q=390 seq_kv=500 head_dim=80 causal=true dtype=bf16",
          "batch=1 heads_q=8 heads_kv=1 seq_q=1 seq_kv=900 head_dim=128 dtype=f16"}) {
      bench.verify_random_points(fields, {.least = 2, .count = 2}, random);
    }
  }
}

TEST_CASE("The default config is a point of the space, whatever the problem and target") {
  for (int lanes : {4, 8, 16}) {
    for (int threads : {1, 2, 64}) {
      const Target target{.kind = "host",
                          .architecture = "avx2",
                          .vector_lanes = lanes,
                          .vector_registers = lanes == 16 ? 32 : 16,
                          .bf16_dot = lanes == 16,
                          .threads = threads};
      for (const char* lengths :
           {"seq_q=1 seq_kv=1", "seq_q=1 seq_kv=4096", "seq_q=5 seq_kv=3000", "seq_q=17 seq_kv=20",
            "seq_q=197 seq_kv=197", "seq_q=2048 seq_kv=2048", "seq_q=4096 seq_kv=77"}) {
        for (const char* heads : {"heads_q=1 heads_kv=1", "heads_q=28 heads_kv=4"}) {
          for (const char* dtype : {"f32", "f16", "bf16"}) {
            for (const char* dim : {"8", "64", "128", "256"}) {
              std::vector<std::pair<std::string, std::string>> pairs = {
                  {"batch", "1"}, {"head_dim", dim}, {"dtype", dtype}};
              for (const std::string text : {lengths, heads}) {
                const size_t space = text.find(' ');
                for (const std::string& word : {text.substr(0, space), text.substr(space + 1)}) {
                  pairs.emplace_back(word.substr(0, word.find('=')),
                                     word.substr(word.find('=') + 1));
                }
              }
              const auto problem = Problem::parse(family().schema(), pairs);
              REQUIRE(problem.ok());
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
}

TEST_CASE("Contradictory problems are refused by name") {
  auto check = [](std::vector<std::pair<std::string, std::string>> more) {
    std::vector<std::pair<std::string, std::string>> fields = {
        {"batch", "1"}, {"head_dim", "64"}, {"dtype", "f32"}};
    fields.insert(fields.end(), more.begin(), more.end());
    const auto problem = Problem::parse(family().schema(), fields);
    return problem.ok() ? family().check(*problem) : problem.status();
  };
  auto field_of = [](const Status& status) {
    const auto violation = field_violation(status);
    return violation ? violation->field : std::string();
  };
  CHECK(check({{"heads_q", "4"}, {"heads_kv", "2"}, {"seq_q", "8"}, {"seq_kv", "8"}}).ok());
  CHECK(field_of(check({{"heads_q", "4"}, {"heads_kv", "3"}, {"seq_q", "8"}, {"seq_kv", "8"}})) ==
        "heads_kv");
  CHECK(field_of(check({{"heads_q", "1"},
                        {"heads_kv", "1"},
                        {"seq_q", "8"},
                        {"seq_kv", "8"},
                        {"causal", "true"},
                        {"window_right", "3"}})) == "window_right");
  // The same problem as without it: it must not have a second key.
  CHECK(field_of(check({{"heads_q", "1"},
                        {"heads_kv", "1"},
                        {"seq_q", "8"},
                        {"seq_kv", "8"},
                        {"causal", "true"},
                        {"window_right", "0"}})) == "window_right");
  CHECK(field_of(check(
            {{"heads_q", "4096"}, {"heads_kv", "1"}, {"seq_q", "16777216"}, {"seq_kv", "8"}})) ==
        "seq_q");
}

TEST_CASE("Work is counted by the stated convention") {
  auto cost = [](const std::string& causal, const std::string& seq_q) {
    const auto problem = Problem::parse(family().schema(), {{"batch", "2"},
                                                            {"heads_q", "4"},
                                                            {"heads_kv", "2"},
                                                            {"seq_q", seq_q},
                                                            {"seq_kv", "100"},
                                                            {"head_dim", "64"},
                                                            {"causal", causal},
                                                            {"dtype", "bf16"}});
    REQUIRE(problem.ok());
    return family().cost(*problem);
  };
  CHECK(cost("false", "100").flops == 4.0 * 2 * 4 * 100 * 100 * 64);
  CHECK(cost("true", "100").flops == 4.0 * 2 * 4 * 100 * 50 * 64);
  CHECK(cost("true", "1").flops == 4.0 * 2 * 4 * 100 * 64);
  CHECK(cost("false", "1").bytes == 2.0 * 2 * 64 * (2 * 4 * 1 + 2 * 2 * 100) + 4 * 2 * 4);
  CHECK(cost("false", "1").bandwidth_bound);
  CHECK_FALSE(cost("false", "5").bandwidth_bound);
}

}  // namespace
}  // namespace kiln::attention_forward
