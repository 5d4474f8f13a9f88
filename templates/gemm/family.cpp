// The family gemm: matrix products with an epilogue.

#include "core/family.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/random.h"
#include "templates/activation.h"
#include "templates/gemm/gpu_space.h"
#include "templates/gemm/problem.h"
#include "templates/gemm/reference.h"
#include "templates/gemm/search_space.h"
#include "templates/plan_parts.h"
#include "templates/schedules/simt.h"

namespace kiln::gemm {

namespace {

// FLOPs a byte below which memory sets the time on any device worth tuning for.
constexpr double kBandwidthBound = 8;

// How the wide lowering arranges the work.
std::vector<KernelSource::Member> host_members(const Config& config, const Target& target) {
  using Member = KernelSource::Member;
  return {
      {"tile::Lanes", "lanes", "tile::Lanes::columns"},
      {"tile::Operands", "operands",
       config.at("operands") == kStaged ? "tile::Operands::staged" : "tile::Operands::in_place"},
      Member::integer("register_rows", config.at("register_rows")),
      Member::integer("register_vectors", register_vectors(config, target)),
      Member::integer("left_rows", left_rows(config, target)),
      Member::boolean("streamed", config.at("stores") == kStreamed),
  };
}

class Gemm final : public Family {
 public:
  const Schema& schema() const override { return gemm_schema(); }

  Status check(const Problem& problem) const override {
    const GemmProblem p(problem);
    if (!tensor_fits({p.batch, p.m, p.k})) {
      return invalid_field("m", std::to_string(p.m), "a left operand below 2^57 elements");
    }
    if (!tensor_fits({p.batch, p.k, p.n})) {
      return invalid_field("n", std::to_string(p.n), "a right operand below 2^57 elements");
    }
    if (!tensor_fits({p.batch, p.m, p.n})) {
      return invalid_field("batch", std::to_string(p.batch), "a result below 2^57 elements");
    }
    return absl::OkStatus();
  }

  Space space(const Problem& problem, const Target& target) const override {
    const GemmProblem p(problem);
    return target.is_gpu() ? gpu_space(p, target) : gemm_space(p, target);
  }
  Config default_config(const Problem& problem, const Target& target) const override {
    const GemmProblem p(problem);
    return target.is_gpu() ? gpu_default(p, target) : gemm_default(p, target);
  }

  KernelSource source(const Problem& problem, const Config& config,
                      const Target& target) const override {
    const GemmProblem p(problem);
    using Member = KernelSource::Member;
    const std::string here = "kiln::gemm::";
    const auto parameter = [&](const char* name) { return Member::integer(name, config.at(name)); };
    KernelSource source;
    source.header = "gemm/kernel.h";
    source.config = {
        Member::element("Element", p.dtype),
        Member::boolean("a_down", p.transpose_a),
        Member::boolean("b_down", !p.transpose_b),
        {here + "BiasOf", "bias", here + (p.bias == Bias::kRows ? "kRows" : "kColumns")},
        activation_member(p.activation),
        parameter("block_m"),
        parameter("block_n"),
        parameter("block_k"),
        Member::boolean("rows_first", config.at("order") == kRowsFirst),
        Member::integer("k_splits", k_splits(config)),
        Member::integer("band", config.find("band").value_or(1)),
    };
    const std::vector<Member> schedule =
        target.is_gpu() ? schedules::contraction_members(config) : host_members(config, target);
    source.config.insert(source.config.end(), schedule.begin(), schedule.end());
    const bool bias = p.bias != Bias::kNone;
    const std::string epilogue =
        here + (p.residual ? bias ? "with_bias_and_residual" : "with_residual"
                : bias     ? "with_bias"
                           : "plain");
    source.entries = {epilogue + "::Multiply"};
    if (k_splits(config) > 1) source.entries = {here + "MultiplyPart", epilogue + "::Merge"};
    return source;
  }

  Plan plan(const Problem& problem, const Config& config, const Target& target) const override {
    const GemmProblem p(problem);
    using Kind = Buffer::Kind;
    const auto matrix = [&](const char* name, const char* rows, const char* columns,
                            bool transposed, Kind kind = Kind::kInput) {
      return argument(name, p.dtype, {"batch", rows, columns}, kind,
                      transposed ? std::vector<int>{0, 2, 1} : std::vector<int>{},
                      transposed ? 1 : 2);
    };
    Plan plan = plan_of(schema());
    plan.buffers = {matrix("a", "m", "k", p.transpose_a), matrix("b", "k", "n", p.transpose_b)};
    const std::string splits = std::to_string(k_splits(config));
    const bool split = k_splits(config) > 1;
    const std::string tiles_m = blocks_of("m", config.at("block_m"));
    const std::string tiles_n = blocks_of("n", config.at("block_n"));
    const bool rows_first = config.at("order") == kRowsFirst;
    Launch multiply{
        .entry = "multiply",
        .grid = {rows_first ? tiles_m : tiles_n, rows_first ? tiles_n : tiles_m, "batch"},
        .arguments = arguments({"a", "b", "d"}, {"m", "n", "k"}, {"alpha", "beta"}),
        .reads = {"a", "b"},
        .writes = {"d"}};
    Launch merge;
    if (target.is_gpu()) {
      schedules::set_block(multiply, config, target,
                           schedules::contraction_scratchpad(config, operands_of(p)));
    }
    if (split) {
      multiply.entry = "multiply_part";
      multiply.grid[0] += " * " + splits;
      multiply.arguments = arguments({"a", "b", "partial"}, {"m", "n", "k"});
      multiply.writes = {"partial"};
      const schedules::LeastTile least = schedules::least_tile(config);
      merge = {.entry = "merge",
               .grid = {blocks_of("n", least.columns), blocks_of("m", least.rows), "batch"},
               .arguments = arguments({"partial", "d"}, {"m", "n"}, {"alpha", "beta"}),
               .reads = {"partial"},
               .writes = {"d"}};
      schedules::set_block(merge, config, target, 0);
    }
    // As the kernel's arguments lie: what not every problem has comes last.
    Launch& last = split ? merge : multiply;
    const auto add = [&](Buffer buffer) {
      last.arguments.push_back({Argument::Kind::kTensor, buffer.name});
      last.reads.push_back(buffer.name);
      plan.buffers.push_back(std::move(buffer));
    };
    if (p.bias != Bias::kNone) {
      add(argument("bias", p.dtype, {p.bias == Bias::kRows ? "m" : "n"}, Kind::kInput, {}, 0));
    }
    if (p.residual) add(matrix("c", "m", "n", false));
    plan.buffers.push_back(matrix("d", "m", "n", false, Kind::kOutput));
    if (split) {
      plan.buffers.push_back(temporary("partial", Dtype::kF32, {splits, "batch", "m", "n"}));
    }
    plan.steps.emplace_back(std::move(multiply));
    if (split) plan.steps.emplace_back(std::move(merge));
    return plan;
  }

  Cost cost(const Problem& problem) const override {
    const GemmProblem p(problem);
    const double m = double(p.m), n = double(p.n), k = double(p.k), batch = double(p.batch);
    const double bias = p.bias == Bias::kNone ? 0 : p.bias == Bias::kRows ? m : n;
    const double flops = 2 * batch * m * n * k;
    const double bytes =
        double(size_of(p.dtype)) * (batch * (m * k + k * n + (p.residual ? 2 : 1) * m * n) + bias);
    return {.flops = flops, .bytes = bytes, .bandwidth_bound = flops < kBandwidthBound * bytes};
  }

  std::string cost_convention() const override {
    return "FLOPs: 2 batch m n k; the epilogue's are not counted. Bytes: a, b, bias, c and d once.";
  }

  Problem probe(const Problem& problem) const override {
    const GemmProblem p(problem);
    // Tails along every axis and more than one chunk of k and one tile.
    return problem.with({{"batch", std::min<int64_t>(p.batch, 2)},
                         {"m", std::min<int64_t>(p.m, 141)},
                         {"n", std::min<int64_t>(p.n, 203)},
                         {"k", std::min<int64_t>(p.k, 331)}});
  }

  void fill_input(const Problem& problem, uint64_t seed, HostTensor& input) const override {
    // Products of unit variance, so that activations bend and no sum leaves the range of f16.
    const double k = double(GemmProblem(problem).k);
    fill_normal(input, seed, input.name == "bias" ? 'v' : uint64_t(input.name[0]),
                input.name == "b" ? 1 / std::sqrt(k) : 1.0);
  }

  int64_t reference_units(const Problem& problem) const override {
    return units(GemmProblem(problem));
  }

  double reference_unit_flops(const Problem& problem) const override {
    const GemmProblem p(problem);
    return 2 * double(std::min(p.n, kUnitColumns)) * double(p.k);
  }

  std::vector<int64_t> border_units(const Problem& problem) const override {
    const GemmProblem p(problem);
    std::vector<int64_t> list;
    for (int64_t z : {int64_t{0}, p.batch - 1}) {
      for (int64_t i : {int64_t{0}, p.m / 2, p.m - 1}) {
        for (int64_t j : {int64_t{0}, p.n / 2, p.n - 1})
          list.push_back(unit_of(p, z, i, j));
      }
    }
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
    return list;
  }

  void reference_unit(const Problem& problem, std::span<const HostTensor> tensors, int64_t unit,
                      ReferenceSink& sink) const override {
    gemm::reference_unit(GemmProblem(problem), tensors, unit, sink);
  }

  std::string tolerance_derivation() const override { return gemm_tolerance(); }
};

}  // namespace

const Family& family() {
  static const Gemm instance;
  return instance;
}

}  // namespace kiln::gemm
