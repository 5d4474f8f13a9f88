#include "client/kiln/problem_handle.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace kiln {

ProblemHandle::ProblemHandle(std::shared_ptr<const Origin> origin)
    : origin_(std::move(origin)),
      sizes_(origin_->problem.sizes()),
      scalars_(origin_->problem.scalars()) {
  key_.group = origin_->group;
  key_.count = uint32_t(sizes_.size());
  for (size_t i = 0; i < sizes_.size(); ++i)
    key_.sizes[i] = key_size(i);
  key_.update_hash();
}

std::shared_ptr<const ProblemHandle::Origin> ProblemHandle::origin_of(Problem problem,
                                                                      const Policy& policy,
                                                                      uint64_t group) {
  std::vector<size_t> sized, scalar;
  const std::vector<Field>& fields = problem.schema().fields();
  for (size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].field_class == FieldClass::kSized) sized.push_back(i);
    if (fields[i].field_class == FieldClass::kScalar) scalar.push_back(i);
  }
  return std::make_shared<Origin>(
      Origin{std::move(problem), policy, group, std::move(sized), std::move(scalar)});
}

StatusOr<size_t> ProblemHandle::size_index(std::string_view field) const {
  const Schema& schema = origin_->problem.schema();
  const std::optional<size_t> found = schema.find(field);
  std::vector<std::string> names;
  for (size_t i = 0; i < origin_->sized_fields.size(); ++i) {
    if (found == origin_->sized_fields[i]) return i;
    names.push_back(schema.fields()[origin_->sized_fields[i]].name);
  }
  return invalid_field("field", field, absl::StrCat("a sized field: ", absl::StrJoin(names, ", ")),
                       absl::StatusCode::kNotFound);
}

Status ProblemHandle::set_size(size_t index, int64_t value) {
  if (index >= sizes_.size()) {
    return invalid_field("index", absl::StrCat(index), absl::StrCat("below ", sizes_.size()));
  }
  const Schema& schema = origin_->problem.schema();
  KILN_RETURN_IF_ERROR(schema.check(origin_->sized_fields[index], Value(value)).status());
  sizes_[index] = value;
  if (const int64_t size = key_size(index); size != key_.sizes[index]) {
    key_.sizes[index] = size;
    key_.update_hash();
  }
  return absl::OkStatus();
}

Status ProblemHandle::set_scalar(std::string_view field, double value) {
  const Schema& schema = origin_->problem.schema();
  const std::optional<size_t> found = schema.find(field);
  for (size_t i = 0; i < origin_->scalar_fields.size(); ++i) {
    if (found != origin_->scalar_fields[i]) continue;
    KILN_RETURN_IF_ERROR(schema.check(*found, Value(value)).status());
    scalars_[i] = value;
    return absl::OkStatus();
  }
  return invalid_field("field", field, "a scalar field", absl::StatusCode::kNotFound);
}

int64_t ProblemHandle::key_size(size_t index) const {
  if (origin_->policy.exact) return sizes_[index];
  const Field& field = origin_->problem.schema().fields()[origin_->sized_fields[index]];
  return field.bucketing.bucket(sizes_[index]);
}

Problem ProblemHandle::problem() const {
  const std::vector<Field>& fields = origin_->problem.schema().fields();
  Problem problem = origin_->problem;
  for (size_t i = 0; i < sizes_.size(); ++i) {
    problem = problem.with({{fields[origin_->sized_fields[i]].name, Value(sizes_[i])}});
  }
  for (size_t i = 0; i < scalars_.size(); ++i) {
    problem = problem.with({{fields[origin_->scalar_fields[i]].name, Value(scalars_[i])}});
  }
  return problem;
}

}  // namespace kiln
