#include "client/tunectl/launch_sheet.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "runtime/buffer_layout.h"
#include "runtime/checked_plan.h"
#include "runtime/host/abi.h"

namespace kiln::tunectl {
namespace {

using runtime::CheckedPlan;

constexpr int kSlotBytes = 8;

class SheetWriter {
 public:
  SheetWriter(const Plan& plan, CheckedPlan checked, runtime::Layout layout, const Problem& problem)
      : plan_(plan),
        checked_(std::move(checked)),
        layout_(std::move(layout)),
        symbols_(problem.sizes()),
        scalars_(problem.scalars()) {
    symbols_.resize(checked_.all_symbols, 0);
  }

  StatusOr<Json> write() {
    Json buffers = Json::array(), steps = Json::array();
    for (size_t i = 0; i < plan_.buffers.size(); ++i)
      buffers.push_back(buffer(i));
    for (size_t i = 0; i < plan_.steps.size(); ++i) {
      KILN_ASSIGN_OR_RETURN(
          Json step, std::visit([&](const auto& s) { return this->step(s, i); }, plan_.steps[i]));
      steps.push_back(std::move(step));
    }
    return Json{{"buffers", std::move(buffers)}, {"steps", std::move(steps)}};
  }

 private:
  Json buffer(size_t index) const {
    const Buffer& declared = plan_.buffers[index];
    const runtime::BufferLayout& laid_out = layout_.buffers[index];
    Json json = {{"name", declared.name},
                 {"role", std::string(name_of(declared.kind))},
                 {"dtype", std::string(name_of(declared.dtype))},
                 {"shape", laid_out.shape},
                 {"strides", laid_out.strides},
                 {"bytes", laid_out.bytes},
                 {"alignment", std::max<int64_t>(declared.alignment, size_of(declared.dtype))},
                 {"optional", declared.optional}};
    if (declared.kind == Buffer::Kind::kTemporary) {
      json["zeroed"] = declared.initial != Buffer::Initial::kNone;
    }
    return json;
  }

  // Null where a Read step of the plan decides.
  StatusOr<Json> value(const Expression& expression) const {
    if (late_) return Json();
    KILN_ASSIGN_OR_RETURN(const int64_t number, expression.evaluate(symbols_));
    return Json(number);
  }

  StatusOr<Json> step(const Launch& launch, size_t index) const {
    const auto& checked = std::get<CheckedPlan::Launch>(checked_.steps[index]);
    Json grid = Json::array();
    for (size_t axis = 0; axis < 3; ++axis) {
      KILN_ASSIGN_OR_RETURN(Json extent, value(checked.grid[axis]));
      grid.push_back(late_ ? Json(launch.grid[axis]) : std::move(extent));
    }
    KILN_ASSIGN_OR_RETURN(Json scratchpad, value(checked.scratchpad_bytes));
    KILN_ASSIGN_OR_RETURN(Json list, parameters(launch, checked));
    return Json{{"launch", launch.entry},
                {"grid", std::move(grid)},
                {"block", launch.block},
                {"cluster", launch.cluster},
                {"scratchpad_bytes", std::move(scratchpad)},
                {"parameter_bytes", checked.slots * kSlotBytes},
                {"parameters", std::move(list)},
                {"reads", launch.reads},
                {"writes", launch.writes}};
  }
  StatusOr<Json> step(const Fill& fill, size_t) const {
    return Json{{"fill", fill.buffer}, {"byte", fill.byte}};
  }
  StatusOr<Json> step(const Read& read, size_t) {
    late_ = true;
    return Json{{"read", read.buffer}, {"index", read.index}, {"symbol", read.symbol}};
  }
  StatusOr<Json> step(const Scan& scan, size_t) const { return Json{{"scan", scan.buffer}}; }

  StatusOr<Json> parameters(const Launch& launch, const CheckedPlan::Launch& checked) const {
    Json list = Json::array();
    size_t slot = 0;
    auto add = [&](Json parameter) {
      parameter["offset"] = kSlotBytes * slot++;
      list.push_back(std::move(parameter));
    };
    for (size_t i = 0; i < launch.arguments.size(); ++i) {
      const std::string& text = launch.arguments[i].text;
      const CheckedPlan::Argument& argument = checked.arguments[i];
      slot = argument.slot;
      switch (argument.kind) {
        case Argument::Kind::kTensor: {
          add({{"type", "pointer"}, {"buffer", text}});
          const std::vector<int64_t>& strides = layout_.buffers[argument.index].strides;
          for (size_t axis = 0; axis < strides.size(); ++axis) {
            add({{"type", "i64"}, {"value", strides[axis]}, {"stride_of", text}, {"axis", axis}});
          }
          break;
        }
        case Argument::Kind::kSize: {
          KILN_ASSIGN_OR_RETURN(Json number, value(argument.size));
          add({{"type", "i64"}, {"value", std::move(number)}, {"expression", text}});
          break;
        }
        case Argument::Kind::kScalar:
          add({{"type", "f64"}, {"value", scalars_[argument.index]}, {"scalar", text}});
          break;
        case Argument::Kind::kTensorMap:
          add(map(argument));
          slot = argument.slot + kKilnMapWords;
          add({{"type", "i64"}, {"value", 1}, {"map_of", text}});
          break;
      }
    }
    return list;
  }

  // As cuTensorMapEncodeTiled takes it for a dense buffer: strides from the second dimension on.
  Json map(const CheckedPlan::Argument& argument) const {
    const Buffer& declared = plan_.buffers[argument.index];
    const runtime::BufferLayout& laid_out = layout_.buffers[argument.index];
    Json sizes = Json::array(), strides = Json::array();
    for (size_t d = 0; d < argument.map.axes.size(); ++d) {
      const auto axis = size_t(argument.map.axes[d]);
      sizes.push_back(laid_out.shape[axis]);
      if (d > 0) strides.push_back(laid_out.strides[axis] * int64_t(size_of(declared.dtype)));
    }
    return {{"type", "tensor_map"},
            {"buffer", declared.name},
            {"bytes", kKilnMapWords * kSlotBytes},
            {"dtype", std::string(name_of(declared.dtype))},
            {"axes", argument.map.axes},
            {"sizes", std::move(sizes)},
            {"strides_bytes", std::move(strides)},
            {"box", argument.map.box},
            {"swizzle", std::string(name_of(argument.map.swizzle))}};
  }

  const Plan& plan_;
  CheckedPlan checked_;
  runtime::Layout layout_;
  std::vector<int64_t> symbols_;
  std::vector<double> scalars_;
  bool late_ = false;  // behind a Read
};

}  // namespace

StatusOr<Json> launch_sheet(const Plan& plan, const Problem& problem) {
  KILN_ASSIGN_OR_RETURN(CheckedPlan checked, runtime::check_plan(plan));
  KILN_ASSIGN_OR_RETURN(runtime::Layout layout, runtime::lay_out(checked, problem.sizes()));
  return SheetWriter(plan, std::move(checked), std::move(layout), problem).write();
}

}  // namespace kiln::tunectl
