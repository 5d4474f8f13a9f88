#include "client/tunectl/schemas.h"

#include <fmt/format.h>

#include "absl/strings/str_split.h"
#include "client/tunectl/api.h"
#include "core/value.h"
#include "proto/problem.h"

namespace kiln::tunectl {

StatusOr<const Schema*> Schemas::get(const std::string& family) {
  auto& entry = schemas_[family];
  if (entry == nullptr) {
    v1::DescribeFamilyRequest request;
    request.set_family(family);
    KILN_ASSIGN_OR_RETURN(const auto response, api_.describe_family(request));
    KILN_ASSIGN_OR_RETURN(Schema schema, proto::from_message(response.schema()));
    entry = std::make_unique<const Schema>(std::move(schema));
  }
  return entry.get();
}

StatusOr<std::vector<const Schema*>> Schemas::all() {
  KILN_ASSIGN_OR_RETURN(const auto families, api_.list_families());
  std::vector<const Schema*> schemas;
  for (const auto& family : families.families()) {
    KILN_ASSIGN_OR_RETURN(const Schema* schema, get(family.name()));
    schemas.push_back(schema);
  }
  return schemas;
}

std::string Schemas::short_text(const std::string& family, const std::string& problem) {
  return filtered_text(family, problem, [](const Field* field, const std::string& value) {
    return field == nullptr || !field->default_value || to_text(*field->default_value) != value;
  });
}

std::string Schemas::static_text(const std::string& family, const std::string& problem) {
  return filtered_text(family, problem, [](const Field* field, const std::string&) {
    return field == nullptr || field->field_class == FieldClass::kStatic;
  });
}

std::string Schemas::filtered_text(
    const std::string& family, const std::string& problem,
    const std::function<bool(const Field* field, const std::string& value)>& keeps) {
  const auto schema = get(family);
  const std::vector<std::string> tokens = absl::StrSplit(problem, ' ', absl::SkipEmpty());
  std::string text;
  for (const std::string& token : tokens) {
    const std::pair<std::string, std::string> parts =
        absl::StrSplit(token, absl::MaxSplits('=', 1));
    const auto index = schema.ok() ? (*schema)->find(parts.first) : std::nullopt;
    const Field* field = index ? &(*schema)->fields()[*index] : nullptr;
    if (token == family || !keeps(field, parts.second)) continue;
    text += fmt::format("{}{}", text.empty() ? "" : " ", token);
  }
  return text;
}

}  // namespace kiln::tunectl
