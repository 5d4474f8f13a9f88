#include "templates/plan_parts.h"

#include <utility>

namespace kiln {

Plan plan_of(const Schema& schema) {
  Plan plan;
  for (const Field& field : schema.fields()) {
    if (field.field_class == FieldClass::kSized) {
      plan.symbols.push_back({field.name, int64_t(field.minimum), int64_t(field.maximum)});
    } else if (field.field_class == FieldClass::kScalar) {
      plan.scalars.push_back(field.name);
    }
  }
  return plan;
}

Buffer argument(std::string name, Dtype dtype, std::vector<std::string> shape, Buffer::Kind kind,
                std::vector<int> order, int unit_stride_axis) {
  return {.name = std::move(name),
          .dtype = dtype,
          .shape = std::move(shape),
          .order = std::move(order),
          .kind = kind,
          .unit_stride_axis = unit_stride_axis,
          .alignment = int64_t(size_of(dtype))};
}

Buffer temporary(std::string name, Dtype dtype, std::vector<std::string> shape) {
  return argument(std::move(name), dtype, std::move(shape), Buffer::Kind::kTemporary);
}

std::vector<Argument> arguments(const std::vector<std::string>& tensors,
                                const std::vector<std::string>& sizes,
                                const std::vector<std::string>& scalars) {
  std::vector<Argument> list;
  for (const std::string& name : tensors)
    list.push_back({Argument::Kind::kTensor, name});
  for (const std::string& size : sizes)
    list.push_back({Argument::Kind::kSize, size});
  for (const std::string& name : scalars)
    list.push_back({Argument::Kind::kScalar, name});
  return list;
}

std::string blocks_of(const std::string& size, int64_t unit) {
  return "ceil_div(" + size + ", " + std::to_string(unit) + ")";
}

}  // namespace kiln
