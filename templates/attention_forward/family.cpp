// The family attention_forward: dense attention, forward.

#include "core/family.h"

#include <algorithm>
#include <limits>

#include "core/random.h"
#include "core/tensor.h"
#include "templates/attention_forward/gpu_space.h"
#include "templates/attention_forward/problem.h"
#include "templates/attention_forward/reference.h"
#include "templates/attention_forward/search_space.h"
#include "templates/plan_parts.h"
#include "templates/schedules/simt.h"

namespace kiln::attention_forward {

namespace {

// Sq at or below which keys are read so rarely again that time is bandwidth.
constexpr int64_t kFewQueries = 16;

// How the wide lowering arranges the work.
std::vector<KernelSource::Member> host_members(const AttentionProblem& problem,
                                               const Config& config, const Target& target) {
  using Member = KernelSource::Member;
  return {
      {"tile::Lanes", "lanes",
       config.at("lanes") == kLanesRows ? "tile::Lanes::rows" : "tile::Lanes::columns"},
      Member::integer("register_rows", config.at("register_rows")),
      Member::integer("register_columns", register_columns(config, target)),
      {"tile::Operands", "operands",
       operands_in_place(problem, config, target) ? "tile::Operands::in_place"
                                                  : "tile::Operands::staged"},
      Member::boolean("prefetch", true),
  };
}

class AttentionForward final : public Family {
 public:
  const Schema& schema() const override { return attention_schema(); }

  Status check(const Problem& problem) const override {
    const AttentionProblem p(problem);
    if (p.heads_q % p.heads_kv != 0) {
      return invalid_field("heads_kv", std::to_string(p.heads_kv),
                           "a divisor of heads_q = " + std::to_string(p.heads_q));
    }
    if (p.causal && problem.integer("window_right") != -1) {
      return invalid_field("window_right", std::to_string(problem.integer("window_right")),
                           "-1: causal = true says where the window ends");
    }
    if (!tensor_fits({p.batch, p.seq_q, p.heads_q, p.head_dim})) {
      return invalid_field("seq_q", std::to_string(p.seq_q), "a query tensor below 2^57 elements");
    }
    if (!tensor_fits({p.batch, p.seq_kv, p.heads_kv, p.head_dim})) {
      return invalid_field("seq_kv", std::to_string(p.seq_kv), "a key tensor below 2^57 elements");
    }
    if (p.rows(true) > std::numeric_limits<int32_t>::max()) {
      return invalid_field("seq_q", std::to_string(p.seq_q),
                           "fewer than 2^31 rows of queries that share a key head");
    }
    return absl::OkStatus();
  }

  Space space(const Problem& problem, const Target& target) const override {
    const AttentionProblem p(problem);
    return target.is_gpu() ? gpu_space(p, target) : attention_space(p, target);
  }
  Config default_config(const Problem& problem, const Target& target) const override {
    const AttentionProblem p(problem);
    return target.is_gpu() ? gpu_default(p, target) : attention_default(p, target);
  }

  KernelSource source(const Problem& problem, const Config& config,
                      const Target& target) const override {
    const AttentionProblem p(problem);
    using Member = KernelSource::Member;
    const auto integer = [&](const char* name) { return Member::integer(name, config.at(name)); };
    KernelSource source;
    source.header = "attention_forward/kernel.h";
    source.config = {
        Member::element("Element", p.dtype),
        Member::integer("head_dim", p.head_dim),
        Member::boolean("causal", p.causal),
        {"float", "softcap", "float(" + to_text(Value(p.softcap)) + ")"},
        integer("block_m"),
        integer("block_n"),
        integer("key_splits"),
        Member::boolean("pack_heads", config.at("pack_heads") != 0),
    };
    const std::vector<KernelSource::Member> schedule =
        target.is_gpu() ? schedules::simt_members(config) : host_members(p, config, target);
    source.config.insert(source.config.end(), schedule.begin(), schedule.end());
    const std::string mapped = schedules::copies_in_bulk(config) ? "Mapped" : "";
    source.entries = {"kiln::attention_forward::Forward" + mapped};
    if (config.at("key_splits") > 1) {
      source.entries = {"kiln::attention_forward::ForwardPart" + mapped,
                        "kiln::attention_forward::Merge"};
    }
    return source;
  }

  Plan plan(const Problem& problem, const Config& config, const Target& target) const override {
    Plan plan = launches(AttentionProblem(problem), config);
    if (target.is_gpu()) {
      const AttentionProblem p(problem);
      const int64_t scratchpad = schedules::stream_scratchpad(config, p.dtype, p.head_dim);
      for (Step& step : plan.steps) {
        Launch& launch = std::get<Launch>(step);
        schedules::set_block(launch, config, target, launch.entry == "merge" ? 0 : scratchpad);
      }
      if (schedules::copies_in_bulk(config)) add_maps(plan, config);
    }
    return plan;
  }

  Cost cost(const Problem& problem) const override {
    const AttentionProblem p(problem);
    const double element = double(size_of(p.dtype)), dim = double(p.head_dim);
    const double queries = double(p.batch * p.heads_q) * double(p.seq_q);
    const double seen =
        double(std::clamp<int64_t>(p.last_key(p.seq_q - 1) - p.first_key(0) + 1, 0, p.seq_kv));
    const double keys = double(p.batch * p.heads_kv) * seen;
    const double flops = 4 * double(p.batch * p.heads_q) * p.visible_pairs() * dim;
    const double bytes = element * 2 * dim * (queries + keys) + 4 * queries;
    return {.flops = flops,
            .bytes = bytes,
            .bandwidth_bound = flops < kBandwidthBoundIntensity * bytes};
  }

  std::string cost_convention() const override {
    return "FLOPs: 4 batch heads_q A head_dim with A the visible (query, key) pairs of a head, "
           "seq^2/2 for causal attention of equal lengths. Bytes: q, o and the visible rows of k "
           "and "
           "v once, and 4 for each row's log-sum-exp.";
  }

  Problem probe(const Problem& problem) const override {
    const AttentionProblem p(problem);
    const int64_t heads_kv = std::min<int64_t>(p.heads_kv, 2);
    const int64_t group = std::min<int64_t>(p.group(), p.seq_q <= kFewQueries ? 8 : 2);
    const int64_t seq_q = std::min<int64_t>(p.seq_q, 141);
    const int64_t seq_kv = std::min<int64_t>(p.seq_kv, p.head_dim > 128 ? 203 : 331);
    return problem.with(
        {{"batch", int64_t{1}},
         {"heads_kv", heads_kv},
         {"heads_q", heads_kv * group},
         {"seq_q", seq_q},
         {"seq_kv", seq_kv},
         {"window_left",
          p.window_left < 0 ? p.window_left : std::min<int64_t>(p.window_left, 70)}});
  }

  void fill_input(const Problem& problem, uint64_t seed, HostTensor& input) const override {
    const AttentionProblem p(problem);
    // With a softcap, scores large enough that it bends them.
    const bool bend = input.name == "q" && p.softcap != 0;
    fill_normal(input, seed, uint64_t(input.name[0]), bend ? std::max(1.0, p.softcap / 4) : 1.0);
  }

  int64_t reference_units(const Problem& problem) const override {
    const AttentionProblem p(problem);
    return p.batch * p.heads_q * p.seq_q;
  }

  double reference_unit_flops(const Problem& problem) const override {
    const AttentionProblem p(problem);
    return 4 * double(p.head_dim) * p.visible_pairs() / double(p.seq_q);
  }

  std::vector<int64_t> border_units(const Problem& problem) const override {
    const AttentionProblem p(problem);
    std::vector<int64_t> units;
    for (int64_t head : {int64_t{0}, p.batch * p.heads_q - 1}) {
      for (int64_t i : {int64_t{0}, int64_t{1}, int64_t{15}, int64_t{16}, int64_t{63}, int64_t{64},
                        p.seq_q / 2, p.seq_q - 2, p.seq_q - 1}) {
        if (i >= 0 && i < p.seq_q) units.push_back(head * p.seq_q + i);
      }
    }
    return units;
  }

  void reference_unit(const Problem& problem, std::span<const HostTensor> tensors, int64_t unit,
                      ReferenceSink& sink) const override {
    reference_row(AttentionProblem(problem), tensors, unit, sink);
  }

  std::string tolerance_derivation() const override { return attention_tolerance(); }

 private:
  // Gives the launch that multiplies maps of keys and values.
  static void add_maps(Plan& plan, const Config& config) {
    Launch& launch = std::get<Launch>(plan.steps.front());
    launch.entry += "_mapped";
    for (const Buffer& buffer : plan.buffers) {
      if (buffer.name != "k" && buffer.name != "v") continue;
      launch.arguments.push_back(
          schedules::tensor_map(config, buffer, 1, int(config.at("block_n"))));
    }
  }

  Plan launches(const AttentionProblem& p, const Config& config) const {
    const std::string splits = std::to_string(config.at("key_splits")),
                      dim = std::to_string(p.head_dim);
    const bool pack = config.at("pack_heads") != 0, split = config.at("key_splits") > 1;
    const std::vector<int> order =
        p.layout == Layout::kBhsd ? std::vector<int>{0, 2, 1, 3} : std::vector<int>{};
    using Kind = Buffer::Kind;
    const auto tokens = [&](const char* name, const char* seq, const char* heads, Kind kind) {
      return argument(name, p.dtype, {"batch", seq, heads, dim}, kind, order, 3);
    };
    Plan plan = plan_of(schema());
    plan.buffers = {
        tokens("q", "seq_q", "heads_q", Kind::kInput),
        tokens("k", "seq_kv", "heads_kv", Kind::kInput),
        tokens("v", "seq_kv", "heads_kv", Kind::kInput),
        tokens("o", "seq_q", "heads_q", Kind::kOutput),
        argument("lse", Dtype::kF32, {"batch", "heads_q", "seq_q"}, Kind::kOutput),
    };
    plan.buffers.back().optional = true;

    const std::vector<std::string> sizes = {"seq_q",    "seq_kv",      "heads_q",
                                            "heads_kv", "window_left", "window_right"};
    const std::string heads = pack ? "heads_kv" : "heads_q";
    const std::string rows = pack ? "seq_q * ceil_div(heads_q, heads_kv)" : "seq_q";
    const std::string tiles = blocks_of(rows, config.at("block_m"));
    if (!split) {
      plan.steps = {
          Launch{.entry = "forward",
                 .grid = {tiles, heads, "batch"},
                 .arguments = arguments({"q", "k", "v", "o", "lse"}, sizes, {"softmax_scale"}),
                 .reads = {"q", "k", "v"},
                 .writes = {"o", "lse"}}};
      return plan;
    }
    plan.buffers.push_back(
        temporary("partial_o", Dtype::kF32, {splits, "batch", "seq_q", "heads_q", dim}));
    plan.buffers.push_back(
        temporary("partial_lse", Dtype::kF32, {splits, "batch", "heads_q", "seq_q"}));
    plan.steps = {Launch{.entry = "forward_part",
                         .grid = {tiles + " * " + splits, heads, "batch"},
                         .arguments = arguments({"q", "k", "v", "partial_o", "partial_lse"}, sizes,
                                                {"softmax_scale"}),
                         .reads = {"q", "k", "v"},
                         .writes = {"partial_o", "partial_lse"}},
                  Launch{.entry = "merge",
                         .grid = {tiles, heads, "batch"},
                         .arguments = arguments({"partial_o", "partial_lse", "o", "lse"},
                                                {"seq_q", "heads_q", "heads_kv"}),
                         .reads = {"partial_o", "partial_lse"},
                         .writes = {"o", "lse"}}};
    return plan;
  }
};

}  // namespace

const Family& family() {
  static const AttentionForward instance;
  return instance;
}

}  // namespace kiln::attention_forward
