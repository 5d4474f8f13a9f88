#include "benchmarks/selftest/cases.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "engine/catalogue.h"
#include "templates/registry.h"

namespace kiln::selftest {
namespace {

constexpr std::array kTypes = {"f32", "f16", "bf16"};

// Without their type.
constexpr std::array kAttention = {
    "batch=1 heads_q=2 heads_kv=1 seq_q=40 seq_kv=5 head_dim=64",
    "batch=1 heads_q=2 heads_kv=2 seq_q=70 seq_kv=33 head_dim=64 causal=true",
    "batch=1 heads_q=4 heads_kv=2 seq_q=129 seq_kv=131 head_dim=128 causal=true",
    "batch=1 heads_q=2 heads_kv=1 seq_q=65 seq_kv=203 head_dim=96",
    "batch=1 heads_q=2 heads_kv=2 seq_q=33 seq_kv=130 head_dim=256 causal=true",
    "batch=1 heads_q=2 heads_kv=2 seq_q=100 seq_kv=120 head_dim=64 window_left=17 window_right=9",
    "batch=1 heads_q=2 heads_kv=1 seq_q=50 seq_kv=64 head_dim=128 layout=bshd softmax_scale=0.5",
    "batch=1 heads_q=2 heads_kv=1 seq_q=17 seq_kv=40 head_dim=64 softcap=50",
    "batch=1 heads_q=8 heads_kv=2 seq_q=1 seq_kv=331 head_dim=128 causal=true",
    "batch=1 heads_q=2 heads_kv=2 seq_q=33 seq_kv=70 head_dim=40 causal=true"};

constexpr std::array kDepthwise = {
    "N=2 C=19 H=15 W=17 kh=3 kw=3 pad_h=1 pad_w=1",
    "N=2 C=19 H=15 W=17 kh=3 kw=3 pad_h=1 pad_w=1 layout=NHWC",
    "N=1 C=33 H=14 W=14 kh=7 kw=7 pad_h=3 pad_w=3 layout=NHWC activation=gelu",
    "N=1 C=9 H=29 W=31 kh=7 kw=7 pad_h=3 pad_w=3",
    "N=1 C=12 H=17 W=23 kh=1 kw=11 pad_w=5 layout=NHWC",
    "N=1 C=12 H=23 W=17 kh=11 kw=1 pad_h=5",
    "N=2 C=8 H=16 W=16 kh=3 kw=3 stride=2 pad_h=1 pad_w=1 layout=NHWC",
    "N=1 C=7 H=20 W=20 kh=5 kw=5 dilation=2 pad_h=4 pad_w=4 bias=false"};

constexpr std::array kGemm = {
    "m=70 n=50 k=33",
    "m=128 n=128 k=128 transpose_b=true",
    "m=129 n=65 k=100 transpose_a=true bias=rows",
    "m=33 n=200 k=70 transpose_a=true transpose_b=true residual=true beta=0.5",
    "batch=2 m=40 n=40 k=64 transpose_b=true bias=columns activation=gelu",
    "m=1 n=200 k=300 transpose_b=true",
    "m=5 n=7 k=3 alpha=2 residual=true"};

constexpr std::array kShapes = {
    "attention_forward batch=64 heads_q=12 heads_kv=12 seq_q=197 seq_kv=197 head_dim=64 dtype=f16",
    "attention_forward batch=4 heads_q=32 heads_kv=8 seq_q=2048 seq_kv=2048 head_dim=128 "
    "causal=true dtype=bf16",
    "attention_forward batch=16 heads_q=16 heads_kv=16 seq_q=2048 seq_kv=2048 head_dim=128 "
    "dtype=bf16",
    "attention_forward batch=8 heads_q=32 heads_kv=8 seq_q=1 seq_kv=8192 head_dim=128 causal=true "
    "dtype=bf16",
    "depthwise_conv2d_forward N=128 C=96 H=56 W=56 kh=7 kw=7 pad_h=3 pad_w=3 layout=NHWC dtype=f16",
    "depthwise_conv2d_forward N=128 C=384 H=14 W=14 kh=7 kw=7 pad_h=3 pad_w=3 dtype=f32",
    "depthwise_conv2d_forward N=64 C=384 H=14 W=14 kh=3 kw=3 pad_h=1 pad_w=1 layout=NHWC dtype=f16",
    "gemm m=2048 n=2048 k=2048 transpose_b=true dtype=bf16",
    "gemm m=788 n=3072 k=768 transpose_b=true bias=columns activation=gelu dtype=f16",
    "gemm m=16 n=4096 k=4096 transpose_b=true dtype=bf16"};

constexpr int64_t kHostBatch = 2;

// Part of the program: a schema that does not admit them is a mistake here.
Case known_case(const std::string& text) {
  auto parsed = parse_case(text);
  if (!parsed.ok()) {
    std::fprintf(stderr, "%s: %s\n", text.c_str(), parsed.status().ToString().c_str());
    std::abort();
  }
  return *std::move(parsed);
}

}  // namespace

StatusOr<Case> parse_case(std::string_view text) {
  static const engine::Catalogue catalogue(families(), {});
  const size_t end = std::min(text.find(' '), text.size());
  db::ProblemRef reference;
  reference.family = text.substr(0, end);
  reference.text = text.substr(end);
  KILN_ASSIGN_OR_RETURN(Problem problem, catalogue.problem_of(reference));
  const Family& family = catalogue.family_of(problem);
  return Case{&family, std::move(problem)};
}

std::vector<Case> corner_cases() {
  std::vector<Case> cases;
  const size_t rounds = std::max({kAttention.size(), kDepthwise.size(), kGemm.size()});
  for (size_t i = 0; i < rounds; ++i) {
    for (const char* type : kTypes) {
      const auto add = [&](const char* family, const auto& list) {
        if (i >= list.size()) return;
        cases.push_back(known_case(std::string(family) + " " + list[i] + " dtype=" + type));
      };
      add("attention_forward", kAttention);
      add("depthwise_conv2d_forward", kDepthwise);
      add("gemm", kGemm);
    }
  }
  return cases;
}

std::vector<Case> real_shapes(const Target& target) {
  std::vector<Case> cases;
  for (const char* shape : kShapes) {
    Case& known = cases.emplace_back(known_case(shape));
    const int64_t batch = known.problem.integer("batch");
    if (target.is_gpu() || batch == 1) continue;
    known.problem = known.problem.with({{"batch", std::min(batch, kHostBatch)}});
  }
  return cases;
}

}  // namespace kiln::selftest
