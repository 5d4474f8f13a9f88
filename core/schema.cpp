#include "core/schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <set>

#include "absl/strings/ascii.h"

namespace kiln {
namespace {

bool is_identifier(std::string_view text) {
  if (text.empty() || text.size() > 64 || absl::ascii_isdigit(text[0])) return false;
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_isalnum(c) || c == '_'; });
}

template <class T>
std::optional<T> parse_number(std::string_view text) {
  T value{};
  if (!text.empty() && text[0] == '+') text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

// Whole numbers without an exponent, so that limits read as people write them.
std::string number_text(double value) {
  if (value == std::floor(value) && std::fabs(value) < 1e15) {
    return std::to_string(static_cast<int64_t>(value));
  }
  return to_text(Value(value));
}

}  // namespace

std::string_view name_of(FieldClass field_class) {
  switch (field_class) {
    case FieldClass::kStatic:
      return "static";
    case FieldClass::kSized:
      return "sized";
    case FieldClass::kScalar:
      return "scalar";
  }
  return "";
}

std::string_view name_of(FieldType type) {
  switch (type) {
    case FieldType::kInteger:
      return "integer";
    case FieldType::kReal:
      return "real";
    case FieldType::kBoolean:
      return "boolean";
    case FieldType::kChoice:
      return "choice";
  }
  return "";
}

int64_t Bucketing::bucket(int64_t size) const {
  if (size <= exact_up_to || size <= 1) return size;
  const auto octave = int64_t{1} << (std::bit_width(static_cast<uint64_t>(size)) - 1);
  const int64_t step = std::max<int64_t>(octave / per_octave, 1);
  const int64_t steps = (size - octave + step - 1) / step;
  // The last bucket of the largest octave would overflow; its end is not a valid size anyway.
  if (steps > (INT64_MAX - octave) / step) return INT64_MAX;
  return octave + steps * step;
}

std::string Bucketing::text() const {
  std::string text;
  if (exact_up_to > 1) text = fmt::format("exact up to {}, then ", exact_up_to);
  return text +
         fmt::format("{} step{} an octave, rounded up", per_octave, per_octave == 1 ? "" : "s");
}

StatusOr<Schema> Schema::make(std::string family, int version, std::string documentation,
                              std::vector<Field> fields, std::vector<std::string> ignored_columns) {
  Schema schema;
  schema.family_ = std::move(family);
  schema.version_ = version;
  schema.documentation_ = std::move(documentation);
  schema.fields_ = std::move(fields);
  schema.ignored_columns_ = std::move(ignored_columns);
  KILN_RETURN_IF_ERROR(schema.check_names());
  for (size_t i = 0; i < schema.fields_.size(); ++i) {
    KILN_RETURN_IF_ERROR(schema.check_field(i));
  }
  return schema;
}

Schema::Schema(std::string family, int version, std::string documentation,
               std::vector<Field> fields, std::vector<std::string> ignored_columns) {
  StatusOr<Schema> made = make(std::move(family), version, std::move(documentation),
                               std::move(fields), std::move(ignored_columns));
  if (!made.ok()) {
    std::fprintf(stderr, "%s\n", std::string(made.status().message()).c_str());
    std::abort();
  }
  *this = *std::move(made);
}

Status Schema::check_names() const {
  if (!is_identifier(family_)) return invalid_field("schema.family", family_, "an identifier");
  std::set<std::string_view> names;
  for (const Field& field : fields_) {
    std::vector<std::string_view> spellings(field.aliases.begin(), field.aliases.end());
    spellings.push_back(field.name);
    for (const std::string_view name : spellings) {
      if (!is_identifier(name) || !names.insert(name).second) {
        return invalid_field("schema.fields", name, "identifiers, each used once");
      }
    }
  }
  for (const std::string& column : ignored_columns_) {
    if (!names.insert(column).second) {
      return invalid_field("schema.ignored_columns", column, "names not used otherwise");
    }
  }
  return absl::OkStatus();
}

Status Schema::check_field(size_t index) const {
  const Field& field = fields_[index];
  const auto refuse = [&](std::string_view member, std::string_view value,
                          std::string_view expected) {
    return invalid_field(fmt::format("schema.fields[{}].{}", field.name, member), value, expected);
  };
  if (field.type == FieldType::kChoice && field.choices.empty()) {
    return refuse("choices", "(none)", "at least one");
  }
  if (field.field_class == FieldClass::kSized && field.type != FieldType::kInteger) {
    return refuse("type", name_of(field.type), "integer, as of every sized field");
  }
  if (field.field_class == FieldClass::kScalar && field.type != FieldType::kReal) {
    return refuse("type", name_of(field.type), "real, as of every scalar field");
  }
  if (!(field.minimum <= field.maximum)) {
    return refuse("minimum", number_text(field.minimum), "at most the maximum");
  }
  constexpr double kIntegers = 0x1p63;
  if (field.type == FieldType::kInteger && !(std::fabs(field.minimum) < kIntegers)) {
    return refuse("minimum", number_text(field.minimum), "a 64-bit integer");
  }
  if (field.multiple_of < 1) {
    return refuse("multiple_of", std::to_string(field.multiple_of), "at least 1");
  }
  if (field.bucketing.per_octave < 1 ||
      !std::has_single_bit(static_cast<uint64_t>(field.bucketing.per_octave))) {
    return refuse("bucketing.per_octave", std::to_string(field.bucketing.per_octave),
                  "a power of two");
  }
  if (field.default_value) {
    if (const auto checked = check(index, *field.default_value); !checked.ok()) {
      return refuse("default_value", to_text(*field.default_value), expectation(index));
    }
  }
  if (field.same_as.empty()) return absl::OkStatus();
  const auto other = std::ranges::find(fields_, field.same_as, &Field::name);
  const bool able = other != fields_.end() && other->same_as.empty() &&
                    field.default_value.has_value() && field.type == FieldType::kInteger &&
                    other->type == FieldType::kInteger && other->field_class == field.field_class;
  if (able) return absl::OkStatus();
  return refuse("same_as", field.same_as, "an integer field of the same class, beside a default");
}

std::optional<size_t> Schema::find(std::string_view name) const {
  for (size_t i = 0; i < fields_.size(); ++i) {
    const Field& field = fields_[i];
    if (field.name == name) return i;
    if (std::find(field.aliases.begin(), field.aliases.end(), name) != field.aliases.end()) {
      return i;
    }
  }
  return std::nullopt;
}

bool Schema::ignores(std::string_view column) const {
  return std::find(ignored_columns_.begin(), ignored_columns_.end(), column) !=
         ignored_columns_.end();
}

std::string Schema::expectation(size_t index) const {
  const Field& field = fields_[index];
  switch (field.type) {
    case FieldType::kBoolean:
      return "true or false";
    case FieldType::kChoice:
      return fmt::format("one of {}", fmt::join(field.choices, ", "));
    case FieldType::kInteger:
    case FieldType::kReal:
      break;
  }
  std::string kind = field.type == FieldType::kReal ? "a number"
                     : field.multiple_of > 1 ? fmt::format("a multiple of {}", field.multiple_of)
                                             : "an integer";
  return fmt::format("{} between {} and {}", kind, number_text(field.minimum),
                     number_text(field.maximum));
}

StatusOr<Value> Schema::check(size_t index, const Value& value) const {
  const Field& field = fields_[index];
  const auto refuse = [&] { return invalid_field(field.name, to_text(value), expectation(index)); };
  if (const auto* text = std::get_if<std::string>(&value)) {
    if (field.type != FieldType::kChoice) return parse(index, *text);
    if (std::find(field.choices.begin(), field.choices.end(), *text) == field.choices.end()) {
      return refuse();
    }
    return value;
  }
  switch (field.type) {
    case FieldType::kChoice:
      return refuse();
    case FieldType::kBoolean: {
      if (std::holds_alternative<bool>(value)) return value;
      const auto* integer = std::get_if<int64_t>(&value);
      if (integer == nullptr || (*integer != 0 && *integer != 1)) return refuse();
      return Value(*integer == 1);
    }
    case FieldType::kInteger: {
      const auto* integer = std::get_if<int64_t>(&value);
      if (integer == nullptr) return refuse();
      const bool sentinel = *integer == static_cast<int64_t>(field.minimum) && *integer < 1;
      if (static_cast<double>(*integer) < field.minimum ||
          static_cast<double>(*integer) > field.maximum ||
          (!sentinel && *integer % field.multiple_of != 0)) {
        return refuse();
      }
      return value;
    }
    case FieldType::kReal: {
      double real;
      if (const auto* integer = std::get_if<int64_t>(&value)) {
        real = static_cast<double>(*integer);
      } else if (const auto* given = std::get_if<double>(&value)) {
        real = *given;
      } else {
        return refuse();
      }
      if (!(real >= field.minimum && real <= field.maximum)) return refuse();
      return Value(real == 0 ? 0.0 : real);  // one zero, so that keys are canonical
    }
  }
  return refuse();
}

StatusOr<Value> Schema::parse(size_t index, std::string_view text) const {
  const Field& field = fields_[index];
  const auto refuse = [&] { return invalid_field(field.name, text, expectation(index)); };
  switch (field.type) {
    case FieldType::kChoice:
      return check(index, Value(std::string(text)));
    case FieldType::kBoolean: {
      const std::string lower = absl::AsciiStrToLower(std::string(text));
      if (lower == "true" || lower == "1" || lower == "yes") return Value(true);
      if (lower == "false" || lower == "0" || lower == "no") return Value(false);
      return refuse();
    }
    case FieldType::kInteger: {
      const auto integer = parse_number<int64_t>(text);
      if (!integer) return refuse();
      return check(index, Value(*integer));
    }
    case FieldType::kReal: {
      const auto real = parse_number<double>(text);
      if (!real) return refuse();
      return check(index, Value(*real));
    }
  }
  return refuse();
}

}  // namespace kiln
