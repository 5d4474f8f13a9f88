#include "engine/import_reader.h"

#include <fmt/format.h>

#include "absl/time/time.h"

namespace kiln::engine {

ImportReader::Field ImportReader::field(const Field& object, const char* key) {
  Field found{nullptr, object.path.empty() ? key : object.path + "." + key};
  if (object.value == nullptr || !object.value->is_object()) return found;
  const auto member = object.value->find(key);
  if (member == object.value->end()) {
    refuse(found, "a value; the field is missing");
  } else {
    found.value = &*member;
  }
  return found;
}

ImportReader::Field ImportReader::element(const Field& array, size_t index) {
  return {&(*array.value)[index], fmt::format("{}[{}]", array.path, index)};
}

void ImportReader::refuse(const Field& field, std::string_view expected) {
  if (!status_.ok()) return;
  std::string value = "(missing)";
  if (field.value != nullptr) {
    if (field.value->is_string()) {
      value = field.value->get<std::string>();
    } else if (field.value->is_structured()) {
      value = fmt::format("({} of {})", field.value->type_name(), field.value->size());
    } else {
      value = field.value->dump();
    }
  }
  status_ = invalid_field(field.path, value, expected);
}

void ImportReader::refuse(std::string_view path, const Status& status) {
  if (status_.ok()) {
    status_ = annotate(Status(absl::StatusCode::kInvalidArgument, status.message()), path);
  }
}

bool ImportReader::is_object(const Field& field) {
  const bool is = field.value != nullptr && field.value->is_object();
  if (!is) refuse(field, "an object");
  return is;
}

bool ImportReader::is_array(const Field& field, size_t max_size) {
  const bool is = field.value != nullptr && field.value->is_array();
  if (!is || field.value->size() > max_size) {
    refuse(field, fmt::format("a list of at most {} entries", max_size));
    return false;
  }
  return true;
}

std::string ImportReader::text(const Field& field, size_t max_size) {
  if (field.value != nullptr && field.value->is_string()) {
    const auto& text = field.value->get_ref<const std::string&>();
    if (text.size() <= max_size) return text;
  }
  refuse(field, fmt::format("a string of at most {} bytes", max_size));
  return "";
}

int64_t ImportReader::integer(const Field& field, int64_t minimum, int64_t maximum) {
  if (field.value != nullptr && field.value->is_number_integer()) {
    // Beyond int64_t the number is unsigned, and too large for any field.
    const bool fits = !field.value->is_number_unsigned() ||
                      field.value->get<uint64_t>() <= uint64_t(std::numeric_limits<int64_t>::max());
    const int64_t number = fits ? field.value->get<int64_t>() : 0;
    if (fits && number >= minimum && number <= maximum) return number;
  }
  const bool bounded = maximum != std::numeric_limits<int64_t>::max();
  refuse(field, bounded ? fmt::format("an integer between {} and {}", minimum, maximum)
                        : fmt::format("an integer of at least {}", minimum));
  return minimum;
}

double ImportReader::number(const Field& field, double minimum, double maximum) {
  if (field.value != nullptr) {
    double number = std::numeric_limits<double>::quiet_NaN();
    if (field.value->is_number()) number = field.value->get<double>();
    if (*field.value == "inf") number = std::numeric_limits<double>::infinity();
    if (*field.value == "-inf") number = -std::numeric_limits<double>::infinity();
    if (number >= minimum && number <= maximum) return number;
  }
  refuse(field, fmt::format("a number between {:g} and {:g}", minimum, maximum));
  return minimum;
}

bool ImportReader::boolean(const Field& field) {
  if (field.value != nullptr && field.value->is_boolean()) return field.value->get<bool>();
  refuse(field, "true or false");
  return false;
}

int64_t ImportReader::time(const Field& field) {
  constexpr size_t kMaxTime = 40;
  const std::string text = this->text(field, kMaxTime);
  absl::Time time;
  std::string error;
  if (status_.ok() && absl::ParseTime(absl::RFC3339_full, text, &time, &error)) {
    const int64_t unix_ns = absl::ToUnixNanos(time);
    if (unix_ns >= 0 && time < absl::FromUnixSeconds(int64_t(1) << 33)) return unix_ns;
  }
  refuse(field, "a time such as 2026-01-31T12:00:00Z");
  return 0;
}

}  // namespace kiln::engine
