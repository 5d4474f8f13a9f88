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

[[noreturn]] void reject(const std::string& family, std::string_view fault,
                         std::string_view subject) {
  std::fprintf(stderr, "schema of %s: %.*s: %.*s\n", family.c_str(), int(fault.size()),
               fault.data(), int(subject.size()), subject.data());
  std::abort();
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

Schema::Schema(std::string family, int version, std::string documentation,
               std::vector<Field> fields, std::vector<std::string> ignored_columns)
    : family_(std::move(family)),
      version_(version),
      documentation_(std::move(documentation)),
      fields_(std::move(fields)),
      ignored_columns_(std::move(ignored_columns)) {
  if (!is_identifier(family_)) reject(family_, "no identifier", family_);
  std::set<std::string, std::less<>> names;
  for (const Field& field : fields_) {
    std::vector<std::string> spellings = field.aliases;
    spellings.push_back(field.name);
    for (const std::string& name : spellings) {
      if (!is_identifier(name)) reject(family_, "no identifier", name);
      if (!names.insert(name).second) reject(family_, "name used twice", name);
    }
    if (field.type == FieldType::kChoice && field.choices.empty()) {
      reject(family_, "choice without choices", field.name);
    }
    if (field.field_class == FieldClass::kSized && field.type != FieldType::kInteger) {
      reject(family_, "sized field that is no integer", field.name);
    }
    if (field.field_class == FieldClass::kScalar && field.type != FieldType::kReal) {
      reject(family_, "scalar field that is no real", field.name);
    }
    if (!std::has_single_bit(static_cast<uint64_t>(field.bucketing.per_octave))) {
      reject(family_, "steps an octave must be a power of two", field.name);
    }
  }
  for (const std::string& column : ignored_columns_) {
    if (!names.insert(column).second) reject(family_, "name used twice", column);
  }
  for (size_t i = 0; i < fields_.size(); ++i) {
    if (fields_[i].default_value && !check(i, *fields_[i].default_value).ok()) {
      reject(family_, "default out of range", fields_[i].name);
    }
  }
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
