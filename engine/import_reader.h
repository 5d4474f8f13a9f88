// Reads one JSON value from outside, field by field.
//
// The first fault is kept and names the field by its path, its value and what was expected
// ("winners[3].winner.timing.median_ns = -1: expected …"); whatever is read afterwards is a
// default, so that callers check once, at the end.

#pragma once

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "core/status.h"

namespace kiln::engine {

class ImportReader {
 public:
  using Json = nlohmann::json;

  const Status& status() const { return status_; }

  // A member of an object, and its path; null where it is missing or `object` is none.
  struct Field {
    const Json* value = nullptr;
    std::string path;
  };
  Field field(const Field& object, const char* key);
  static Field element(const Field& array, size_t index);

  void refuse(const Field& field, std::string_view expected);
  // A fault below `path` that somebody else found.
  void refuse(std::string_view path, const Status& status);

  bool is_object(const Field& field);
  bool is_array(const Field& field, size_t max_size);
  std::string text(const Field& field, size_t max_size);
  int64_t integer(const Field& field, int64_t minimum,
                  int64_t maximum = std::numeric_limits<int64_t>::max());
  // The form writes numbers that are not finite as "inf", "-inf" and "nan"; of these only +-inf
  // passes, and only within the bounds.
  double number(const Field& field, double minimum, double maximum);
  bool boolean(const Field& field);
  int64_t time(const Field& field);  // RFC 3339, as nanoseconds since 1970

 private:
  Status status_;
};

}  // namespace kiln::engine
