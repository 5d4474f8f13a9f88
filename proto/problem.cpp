#include "proto/problem.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace kiln::proto {
namespace {

// Of a published schema; far above any real family.
constexpr int kMaxFields = 256;

v1::FieldClass to_message(FieldClass field_class) {
  return v1::FieldClass(int(field_class) + 1);
}

v1::FieldType to_message(FieldType type) {
  return v1::FieldType(int(type) + 1);
}

StatusOr<Field> from_message(const v1::Field& message) {
  const std::string at = absl::StrCat("schema.fields[", printable(message.name(), 64), "]");
  if (message.field_class() < v1::FIELD_CLASS_STATIC ||
      message.field_class() > v1::FIELD_CLASS_SCALAR) {
    return invalid_field(at + ".field_class", absl::StrCat(int(message.field_class())),
                         "a class of this version");
  }
  if (message.type() < v1::FIELD_TYPE_INTEGER || message.type() > v1::FIELD_TYPE_CHOICE) {
    return invalid_field(at + ".type", absl::StrCat(int(message.type())), "a type of this version");
  }
  Field field;
  field.name = message.name();
  field.field_class = FieldClass(message.field_class() - 1);
  field.type = FieldType(message.type() - 1);
  field.documentation = message.documentation();
  field.minimum = message.minimum();
  field.maximum = message.maximum();
  field.multiple_of = message.multiple_of() == 0 ? 1 : message.multiple_of();
  field.choices.assign(message.choices().begin(), message.choices().end());
  field.aliases.assign(message.aliases().begin(), message.aliases().end());
  field.same_as = message.same_as();
  if (message.has_default_value()) {
    KILN_ASSIGN_OR_RETURN(field.default_value, proto::from_message(message.default_value()));
  }
  if (message.has_bucketing()) {
    field.bucketing = {message.bucketing().exact_up_to(), message.bucketing().per_octave()};
  }
  return field;
}

}  // namespace

v1::Value to_message(const Value& value) {
  v1::Value message;
  switch (value.index()) {
    case 0:
      message.set_integer(std::get<0>(value));
      break;
    case 1:
      message.set_real(std::get<1>(value));
      break;
    case 2:
      message.set_boolean(std::get<2>(value));
      break;
    default:
      message.set_choice(std::get<3>(value));
      break;
  }
  return message;
}

StatusOr<Value> from_message(const v1::Value& value) {
  switch (value.kind_case()) {
    case v1::Value::kInteger:
      return Value(int64_t(value.integer()));
    case v1::Value::kReal:
      return Value(value.real());
    case v1::Value::kBoolean:
      return Value(value.boolean());
    case v1::Value::kChoice:
      return Value(value.choice());
    case v1::Value::KIND_NOT_SET:
      break;
  }
  return invalid_field("value", "", "an integer, a real, a boolean or a choice");
}

v1::Problem to_message(const Problem& problem) {
  v1::Problem message;
  message.set_family(problem.family());
  const std::vector<Field>& fields = problem.schema().fields();
  for (size_t i = 0; i < fields.size(); ++i) {
    v1::ProblemField* field = message.add_fields();
    field->set_name(fields[i].name);
    *field->mutable_value() = to_message(problem.values()[i]);
  }
  return message;
}

StatusOr<Fields> fields_of(const v1::Problem& problem, const Schema& schema) {
  Fields fields;
  fields.reserve(problem.fields_size());
  for (const v1::ProblemField& field : problem.fields()) {
    const std::optional<size_t> index = schema.find(field.name());
    if (field.value().kind_case() == v1::Value::KIND_NOT_SET) {
      return invalid_field(field.name(), "",
                           index ? schema.expectation(*index) : std::string("a value"));
    }
    KILN_ASSIGN_OR_RETURN(Value value, from_message(field.value()));
    const auto* text = std::get_if<std::string>(&value);
    if (text && index && schema.fields()[*index].type != FieldType::kChoice) {
      KILN_ASSIGN_OR_RETURN(value, schema.parse(*index, *text));
    }
    fields.emplace_back(field.name(), std::move(value));
  }
  return fields;
}

v1::Schema to_message(const Schema& schema) {
  v1::Schema message;
  message.set_family(schema.family());
  message.set_version(schema.version());
  message.set_documentation(schema.documentation());
  for (const Field& field : schema.fields()) {
    v1::Field* out = message.add_fields();
    out->set_name(field.name);
    out->set_field_class(to_message(field.field_class));
    out->set_type(to_message(field.type));
    out->set_documentation(field.documentation);
    if (field.default_value) *out->mutable_default_value() = to_message(*field.default_value);
    out->set_minimum(field.minimum);
    out->set_maximum(field.maximum);
    out->set_multiple_of(field.multiple_of);
    for (const std::string& choice : field.choices)
      out->add_choices(choice);
    for (const std::string& alias : field.aliases)
      out->add_aliases(alias);
    out->set_same_as(field.same_as);
    if (field.field_class == FieldClass::kSized) {
      out->mutable_bucketing()->set_exact_up_to(field.bucketing.exact_up_to);
      out->mutable_bucketing()->set_per_octave(field.bucketing.per_octave);
    }
  }
  for (const std::string& column : schema.ignored_columns())
    message.add_ignored_columns(column);
  return message;
}

StatusOr<Schema> from_message(const v1::Schema& schema) {
  if (schema.fields_size() > kMaxFields) {
    return invalid_field("schema.fields", absl::StrCat(schema.fields_size()),
                         absl::StrCat("at most ", kMaxFields));
  }
  std::vector<Field> fields;
  for (const v1::Field& message : schema.fields()) {
    KILN_ASSIGN_OR_RETURN(Field field, from_message(message));
    fields.push_back(std::move(field));
  }
  return Schema::make(schema.family(), schema.version(), schema.documentation(), std::move(fields),
                      {schema.ignored_columns().begin(), schema.ignored_columns().end()});
}

v1::Space to_message(const Space& space, int64_t size) {
  v1::Space message;
  message.set_version(space.version());
  message.set_size(size);
  for (const Parameter& parameter : space.parameters()) {
    v1::Parameter* out = message.add_parameters();
    out->set_name(parameter.name);
    out->set_documentation(parameter.documentation);
    for (int64_t value : parameter.values)
      out->add_values(value);
    for (const std::string& label : parameter.labels)
      out->add_labels(label);
  }
  for (const Constraint& constraint : space.constraints()) {
    v1::Constraint* out = message.add_constraints();
    out->set_text(constraint.text);
    for (const std::string& parameter : constraint.parameters)
      out->add_parameters(parameter);
  }
  return message;
}

v1::Config to_message(const Config& config) {
  v1::Config message;
  for (const auto& [parameter, value] : config.values()) {
    v1::Config::Entry* entry = message.add_entries();
    entry->set_parameter(parameter);
    entry->set_value(value);
  }
  return message;
}

v1::Config to_message(const Config& config, const Space& space) {
  v1::Config message = to_message(config);
  for (v1::Config::Entry& entry : *message.mutable_entries()) {
    for (const Parameter& parameter : space.parameters()) {
      if (parameter.name != entry.parameter() || parameter.labels.empty()) continue;
      const auto found = std::find(parameter.values.begin(), parameter.values.end(), entry.value());
      if (found != parameter.values.end()) {
        entry.set_label(parameter.labels[size_t(found - parameter.values.begin())]);
      }
    }
  }
  return message;
}

Config from_message(const v1::Config& config) {
  std::vector<std::pair<std::string, int64_t>> values;
  for (const v1::Config::Entry& entry : config.entries()) {
    values.emplace_back(entry.parameter(), entry.value());
  }
  return Config(std::move(values));
}

std::string text_of(const v1::Config& config) {
  return absl::StrJoin(config.entries(), " ", [](std::string* out, const v1::Config::Entry& entry) {
    absl::StrAppend(out, entry.parameter(), "=");
    entry.label().empty() ? absl::StrAppend(out, entry.value())
                          : absl::StrAppend(out, entry.label());
  });
}

}  // namespace kiln::proto
