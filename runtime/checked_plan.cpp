#include "runtime/checked_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "core/ceil_div.h"
#include "runtime/host/abi.h"

namespace kiln::runtime {
namespace {

constexpr size_t kMaxName = 64;
constexpr size_t kMaxEntryName = 255;
constexpr int64_t kMaxAlignment = 4096;
// What hardware's tensor maps can say.
constexpr size_t kMaxMapRank = 5;
constexpr int kMaxBoxExtent = 256;
constexpr int64_t kMapGranule = 16;  // bytes that rows of a box are multiples of

bool is_identifier(std::string_view name) {
  return !name.empty() && name.size() <= kMaxName && !absl::ascii_isdigit(name[0]) &&
         std::ranges::all_of(name,
                             [](unsigned char c) { return absl::ascii_isalnum(c) || c == '_'; });
}

bool is_argument(const Buffer& buffer) {
  return buffer.kind == Buffer::Kind::kInput || buffer.kind == Buffer::Kind::kOutput;
}

class PlanChecker {
 public:
  explicit PlanChecker(const Plan& plan) : plan_(plan) {}

  StatusOr<CheckedPlan> check() {
    KILN_RETURN_IF_ERROR(check_counts());
    KILN_RETURN_IF_ERROR(check_symbols());
    KILN_RETURN_IF_ERROR(check_scalars());
    for (size_t i = 0; i < plan_.buffers.size(); ++i)
      KILN_RETURN_IF_ERROR(check_buffer(i));
    for (size_t i = 0; i < plan_.steps.size(); ++i)
      KILN_RETURN_IF_ERROR(check_step(i));
    KILN_RETURN_IF_ERROR(check_outputs());
    checked_.all_symbols = symbol_names_.size();
    return std::move(checked_);
  }

 private:
  Status check_counts() const {
    if (plan_.version != kPlanVersion) {
      return invalid_field("plan.version", fmt::format("{}", plan_.version),
                           fmt::format("{}", kPlanVersion));
    }
    auto bounded = [](std::string_view field, size_t count, size_t most) -> Status {
      if (count <= most) return absl::OkStatus();
      return invalid_field(field, fmt::format("{} of them", count),
                           fmt::format("at most {}", most));
    };
    KILN_RETURN_IF_ERROR(bounded("plan.symbols", plan_.symbols.size(), kMaxPlanSymbols));
    KILN_RETURN_IF_ERROR(bounded("plan.scalars", plan_.scalars.size(), kMaxPlanSymbols));
    KILN_RETURN_IF_ERROR(bounded("plan.buffers", plan_.buffers.size(), kMaxPlanBuffers));
    KILN_RETURN_IF_ERROR(bounded("plan.steps", plan_.steps.size(), kMaxPlanSteps));
    if (plan_.steps.empty()) return invalid_field("plan.steps", "none", "at least one step");
    return absl::OkStatus();
  }

  Status check_name(const std::string& place, const std::string& name) {
    if (!is_identifier(name)) {
      return invalid_field(place, name, "an identifier of at most 64 characters");
    }
    if (!names_.insert(name).second) return invalid_field(place, name, "a name not used before");
    return absl::OkStatus();
  }

  Status check_symbols() {
    for (size_t i = 0; i < plan_.symbols.size(); ++i) {
      const Symbol& symbol = plan_.symbols[i];
      const std::string place = fmt::format("plan.symbols[{}]", i);
      KILN_RETURN_IF_ERROR(check_name(place, symbol.name));
      if (symbol.minimum > symbol.maximum) {
        return invalid_field(place, fmt::format("{} to {}", symbol.minimum, symbol.maximum),
                             "a range that is not empty");
      }
      symbol_names_.push_back(symbol.name);
    }
    checked_.symbols = plan_.symbols;
    return absl::OkStatus();
  }

  Status check_scalars() {
    for (size_t i = 0; i < plan_.scalars.size(); ++i) {
      KILN_RETURN_IF_ERROR(check_name(fmt::format("plan.scalars[{}]", i), plan_.scalars[i]));
    }
    checked_.scalars = plan_.scalars;
    return absl::OkStatus();
  }

  Status parse(const std::string& place, const std::string& text, Expression& expression) const {
    StatusOr<Expression> parsed = Expression::parse(text, symbol_names_);
    if (!parsed.ok()) return annotate(parsed.status(), place);
    expression = *std::move(parsed);
    return absl::OkStatus();
  }

  Status check_buffer(size_t index) {
    const Buffer& buffer = plan_.buffers[index];
    const std::string place = fmt::format("plan.buffers[{}]", index);
    KILN_RETURN_IF_ERROR(check_name(place + ".name", buffer.name));
    const size_t rank = buffer.shape.size();
    if (rank > kMaxRank) {
      return invalid_field(place + ".shape", fmt::format("{} axes", rank),
                           fmt::format("at most {} axes", kMaxRank));
    }
    CheckedPlan::Buffer checked{.declared = buffer, .shape = {}, .order = buffer.order};
    for (size_t axis = 0; axis < rank; ++axis) {
      KILN_RETURN_IF_ERROR(parse(fmt::format("{}.shape[{}]", place, axis), buffer.shape[axis],
                                 checked.shape.emplace_back()));
    }
    std::vector<int> axes(rank);
    std::iota(axes.begin(), axes.end(), 0);
    if (checked.order.empty()) checked.order = axes;
    if (!std::ranges::is_permutation(checked.order, axes)) {
      return invalid_field(place + ".order", fmt::format("{} entries", buffer.order.size()),
                           "each axis once");
    }
    if (buffer.unit_stride_axis < -1 || buffer.unit_stride_axis >= int(rank)) {
      return invalid_field(place + ".unit_stride_axis", fmt::format("{}", buffer.unit_stride_axis),
                           "-1 or an axis");
    }
    if (buffer.alignment < 1 || buffer.alignment > kMaxAlignment ||
        (buffer.alignment & (buffer.alignment - 1)) != 0) {
      return invalid_field(place + ".alignment", fmt::format("{}", buffer.alignment),
                           fmt::format("a power of two up to {}", kMaxAlignment));
    }
    if (buffer.optional && !is_argument(buffer)) {
      return invalid_field(place + ".optional", "true", "false: only arguments may be absent");
    }
    if (buffer.initial != Buffer::Initial::kNone && buffer.kind != Buffer::Kind::kTemporary) {
      return invalid_field(place + ".initial", "set", "none: only temporaries have a start value");
    }
    if (is_argument(buffer)) checked_.arguments.push_back(index);
    written_.push_back(buffer.kind == Buffer::Kind::kInput ||
                       buffer.initial != Buffer::Initial::kNone);
    checked_.buffers.push_back(std::move(checked));
    return absl::OkStatus();
  }

  StatusOr<size_t> find_buffer(const std::string& place, const std::string& name) const {
    for (size_t i = 0; i < plan_.buffers.size(); ++i) {
      if (plan_.buffers[i].name == name) return i;
    }
    return invalid_field(place, name, "the name of a buffer");
  }

  void touch(size_t buffer, size_t step) {
    CheckedPlan::Buffer& checked = checked_.buffers[buffer];
    if (!checked.used) checked.first_step = step;
    checked.last_step = step;
    checked.used = true;
  }

  Status read(const std::string& place, size_t buffer, size_t step) {
    if (!written_[buffer] && plan_.buffers[buffer].kind != Buffer::Kind::kPerWorker) {
      return invalid_field(place, plan_.buffers[buffer].name,
                           "a buffer that an earlier step has written");
    }
    touch(buffer, step);
    return absl::OkStatus();
  }

  Status write(const std::string& place, size_t buffer, size_t step) {
    if (plan_.buffers[buffer].kind == Buffer::Kind::kInput) {
      return invalid_field(place, plan_.buffers[buffer].name, "a buffer that is not an input");
    }
    written_[buffer] = true;
    touch(buffer, step);
    return absl::OkStatus();
  }

  // A buffer that a step of the run time itself works on.
  StatusOr<size_t> find_shared(const std::string& place, const std::string& name,
                               bool counters) const {
    KILN_ASSIGN_OR_RETURN(const size_t index, find_buffer(place, name));
    const Buffer& buffer = plan_.buffers[index];
    if (buffer.kind == Buffer::Kind::kPerWorker || buffer.optional) {
      return invalid_field(place, name, "a buffer that exists once in every launch");
    }
    if (counters && (buffer.dtype != Dtype::kI64 || buffer.shape.size() != 1)) {
      return invalid_field(place, name, "a buffer of i64 with one axis");
    }
    return index;
  }

  static Status check_extents(const std::string& place, const std::array<int, 3>& extents,
                              int most) {
    int64_t product = 1;
    for (int extent : extents) {
      product *= std::clamp(extent, 0, most + 1);
      if (product >= 1 && product <= most) continue;
      return invalid_field(place, fmt::format("{}", fmt::join(extents, " x ")),
                           fmt::format("from 1 to {} in all", most));
    }
    return absl::OkStatus();
  }

  Status check_step(size_t index) {
    return std::visit(
        [&](const auto& step) -> Status {
          return check(fmt::format("plan.steps[{}]", index), step, index);
        },
        plan_.steps[index]);
  }

  Status check(const std::string& place, const Launch& launch, size_t step) {
    CheckedPlan::Launch checked{.entry = launch.entry,
                                .grid = {},
                                .arguments = {},
                                .block = launch.block,
                                .cluster = launch.cluster,
                                .scratchpad_bytes = {}};
    if (launch.entry.empty() || launch.entry.size() > kMaxEntryName) {
      return invalid_field(place + ".entry", launch.entry, "the name of an entry");
    }
    for (size_t axis = 0; axis < 3; ++axis) {
      KILN_RETURN_IF_ERROR(
          parse(fmt::format("{}.grid[{}]", place, axis), launch.grid[axis], checked.grid[axis]));
    }
    KILN_RETURN_IF_ERROR(check_extents(place + ".block", launch.block, kMaxBlockThreads));
    KILN_RETURN_IF_ERROR(check_extents(place + ".cluster", launch.cluster, kMaxClusterBlocks));
    KILN_RETURN_IF_ERROR(
        parse(place + ".scratchpad_bytes", launch.scratchpad_bytes, checked.scratchpad_bytes));
    std::set<size_t> declared;
    for (size_t i = 0; i < launch.reads.size(); ++i) {
      const std::string at = fmt::format("{}.reads[{}]", place, i);
      KILN_ASSIGN_OR_RETURN(const size_t buffer, find_buffer(at, launch.reads[i]));
      KILN_RETURN_IF_ERROR(read(at, buffer, step));
      declared.insert(buffer);
    }
    for (size_t i = 0; i < launch.writes.size(); ++i) {
      const std::string at = fmt::format("{}.writes[{}]", place, i);
      KILN_ASSIGN_OR_RETURN(const size_t buffer, find_buffer(at, launch.writes[i]));
      KILN_RETURN_IF_ERROR(write(at, buffer, step));
      declared.insert(buffer);
    }
    for (size_t i = 0; i < launch.arguments.size(); ++i) {
      const std::string at = fmt::format("{}.arguments[{}]", place, i);
      KILN_RETURN_IF_ERROR(
          check_argument(at, launch.arguments[i], declared, checked.arguments.emplace_back()));
      place_argument(checked, step);
      if (checked.slots > kMaxSlots) {
        return invalid_field(place + ".arguments", fmt::format("{} slots", checked.slots),
                             fmt::format("at most {} slots", kMaxSlots));
      }
    }
    if (std::ranges::any_of(checked.arguments, [](const CheckedPlan::Argument& argument) {
          return argument.kind == Argument::Kind::kTensorMap;
        })) {
      checked.slots = map_slot(checked.slots);
    }
    checked_.steps.push_back(std::move(checked));
    return absl::OkStatus();
  }

  // Slots from which on a tensor map, or the next launch, may begin.
  static size_t map_slot(size_t slots) {
    return size_t(ceil_div(int64_t(slots), kKilnMapAlignment) * kKilnMapAlignment);
  }

  // Gives the launch's last argument its slots.
  void place_argument(CheckedPlan::Launch& launch, size_t step) {
    CheckedPlan::Argument& argument = launch.arguments.back();
    const bool mapped = argument.kind == Argument::Kind::kTensorMap;
    argument.slot = mapped ? map_slot(launch.slots) : launch.slots;
    launch.slots = argument.slot + (mapped ? size_t(kKilnMapSlots) : 1);
    if (argument.kind == Argument::Kind::kTensor) {
      launch.slots += plan_.buffers[argument.index].shape.size();
    }
    if (mapped || argument.kind == Argument::Kind::kTensor) touch(argument.index, step);
  }

  static Status check_map(const std::string& place, const TensorMap& map, const Buffer& buffer) {
    const size_t rank = buffer.shape.size();
    if (rank < 1 || rank > kMaxMapRank || buffer.optional ||
        buffer.kind == Buffer::Kind::kPerWorker) {
      return invalid_field(
          place, buffer.name,
          fmt::format("a buffer that every launch has, of 1 to {} axes", kMaxMapRank));
    }
    std::vector<int> axes(rank);
    std::iota(axes.begin(), axes.end(), 0);
    if (!std::ranges::is_permutation(map.axes, axes)) {
      return invalid_field(place + ".map.axes", fmt::format("{}", fmt::join(map.axes, ", ")),
                           "each of the buffer's axes once");
    }
    if (buffer.unit_stride_axis != map.axes[0]) {
      return invalid_field(place + ".map.axes[0]", fmt::format("{}", map.axes[0]),
                           "the buffer's axis of stride 1");
    }
    const std::string box = fmt::format("{}", fmt::join(map.box, " x "));
    if (map.box.size() != rank || !std::ranges::all_of(map.box, [](int extent) {
          return extent >= 1 && extent <= kMaxBoxExtent;
        })) {
      return invalid_field(
          place + ".map.box", box,
          fmt::format("1 to {} elements along each of {} dimensions", kMaxBoxExtent, rank));
    }
    const int64_t row = int64_t(map.box[0]) * int64_t(size_of(buffer.dtype));
    const int span = span_bytes(map.swizzle);
    if (span == 0 ? row % kMapGranule != 0 : row != span) {
      return invalid_field(place + ".map.box", box,
                           span == 0 ? "rows of a multiple of 16 bytes"
                                     : fmt::format("rows of {} bytes, as its swizzle has", span));
    }
    return absl::OkStatus();
  }

  Status check_argument(const std::string& place, const Argument& argument,
                        const std::set<size_t>& declared, CheckedPlan::Argument& checked) const {
    checked.kind = argument.kind;
    switch (argument.kind) {
      case Argument::Kind::kTensor:
      case Argument::Kind::kTensorMap: {
        KILN_ASSIGN_OR_RETURN(checked.index, find_buffer(place, argument.text));
        const bool per_worker = plan_.buffers[checked.index].kind == Buffer::Kind::kPerWorker;
        if (!per_worker && !declared.contains(checked.index)) {
          return invalid_field(place, argument.text,
                               "a buffer that the step names among its reads or writes");
        }
        checked.map = argument.map;
        return argument.kind == Argument::Kind::kTensor
                   ? absl::OkStatus()
                   : check_map(place, argument.map, plan_.buffers[checked.index]);
      }
      case Argument::Kind::kSize:
        return parse(place, argument.text, checked.size);
      case Argument::Kind::kScalar: {
        auto found = std::ranges::find(plan_.scalars, argument.text);
        if (found == plan_.scalars.end()) {
          return invalid_field(place, argument.text, "the name of a scalar");
        }
        checked.index = size_t(found - plan_.scalars.begin());
        return absl::OkStatus();
      }
    }
    return invalid_field(place, "unknown kind", "a tensor, a size, a scalar or a tensor map");
  }

  Status check(const std::string& place, const Fill& fill, size_t step) {
    KILN_ASSIGN_OR_RETURN(const size_t buffer, find_shared(place, fill.buffer, false));
    KILN_RETURN_IF_ERROR(write(place, buffer, step));
    checked_.steps.push_back(CheckedPlan::Fill{buffer, fill.byte});
    return absl::OkStatus();
  }

  Status check(const std::string& place, const Read& step, size_t index) {
    KILN_ASSIGN_OR_RETURN(const size_t buffer, find_shared(place, step.buffer, true));
    KILN_RETURN_IF_ERROR(read(place, buffer, index));
    CheckedPlan::Read checked{.buffer = buffer, .index = {}, .symbol = symbol_names_.size()};
    KILN_RETURN_IF_ERROR(parse(place + ".index", step.index, checked.index));
    KILN_RETURN_IF_ERROR(check_name(place + ".symbol", step.symbol));
    if (symbol_names_.size() == kMaxPlanSymbols) {
      return invalid_field(place, step.symbol, fmt::format("at most {} symbols", kMaxPlanSymbols));
    }
    symbol_names_.push_back(step.symbol);
    checked_.steps.push_back(std::move(checked));
    return absl::OkStatus();
  }

  Status check(const std::string& place, const Scan& scan, size_t step) {
    KILN_ASSIGN_OR_RETURN(const size_t buffer, find_shared(place, scan.buffer, true));
    KILN_RETURN_IF_ERROR(read(place, buffer, step));
    KILN_RETURN_IF_ERROR(write(place, buffer, step));
    checked_.steps.push_back(CheckedPlan::Scan{buffer});
    return absl::OkStatus();
  }

  Status check_outputs() const {
    for (size_t i = 0; i < plan_.buffers.size(); ++i) {
      if (plan_.buffers[i].kind == Buffer::Kind::kOutput && !written_[i]) {
        return invalid_field(fmt::format("plan.buffers[{}]", i), plan_.buffers[i].name,
                             "an output that some step writes");
      }
    }
    return absl::OkStatus();
  }

  const Plan& plan_;
  CheckedPlan checked_;
  std::set<std::string> names_;
  std::vector<std::string> symbol_names_;
  std::vector<bool> written_;  // so far, by buffer
};

}  // namespace

StatusOr<CheckedPlan> check_plan(const Plan& plan) {
  return PlanChecker(plan).check();
}

std::vector<Buffer> arguments_of(const CheckedPlan& plan) {
  std::vector<Buffer> arguments;
  for (size_t buffer : plan.arguments)
    arguments.push_back(plan.buffers[buffer].declared);
  return arguments;
}

}  // namespace kiln::runtime
