// What a family's problems look like: the fields that a caller fills in.
//
// A schema is published through the API; problems are checked against it, keys are made from it,
// CSV columns are matched to it. It is immutable after construction and safe to share.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/status.h"
#include "core/value.h"

namespace kiln {

enum class FieldClass : uint8_t {
  kStatic,  // compiled in; exact in the key
  kSized,   // argument at run time; the key holds its bucket
  kScalar,  // argument at run time; not in the key
};

enum class FieldType : uint8_t { kInteger, kReal, kBoolean, kChoice };

std::string_view name_of(FieldClass field_class);  // "static", "sized", "scalar"
std::string_view name_of(FieldType type);          // "integer", "real", "boolean", "choice"

// Sizes up to `exact_up_to` are their own bucket; above, every octave [2^n, 2^(n+1)) is cut into
// `per_octave` equal steps (a power of two) and a size is rounded up to the end of its step.
// Zero and negative values (sentinels such as -1) are always their own bucket.
struct Bucketing {
  int64_t exact_up_to = 0;
  int64_t per_octave = 1;

  int64_t bucket(int64_t size) const;
  std::string text() const;  // "exact up to 64, then 8 steps an octave, rounded up"
};

struct Field {
  std::string name;
  FieldClass field_class = FieldClass::kStatic;
  FieldType type = FieldType::kInteger;
  std::string documentation = {};           // one sentence, with the unit
  std::optional<Value> default_value = {};  // absent: the caller must give it
  double minimum = 0;                       // integer and real; inclusive
  double maximum = 0;
  int64_t multiple_of = 1;                // integer
  std::vector<std::string> choices = {};  // choice
  Bucketing bucketing = {};               // sized
  std::vector<std::string> aliases = {};  // other spellings, e.g. columns of workload files
  // Integer: the default stands for the value of this field, an integer of the same class.
  std::string same_as = {};
};

class Schema {
 public:
  // INVALID_ARGUMENT names the fault: names and aliases must be distinct identifiers, ranges not
  // empty, defaults within them, and classes and types must fit each other.
  static StatusOr<Schema> make(std::string family, int version, std::string documentation,
                               std::vector<Field> fields,
                               std::vector<std::string> ignored_columns = {});
  // For schemas that are part of the program: aborts where make() refuses.
  Schema(std::string family, int version, std::string documentation, std::vector<Field> fields,
         std::vector<std::string> ignored_columns = {});

  const std::string& family() const { return family_; }
  int version() const { return version_; }
  const std::string& documentation() const { return documentation_; }
  const std::vector<Field>& fields() const { return fields_; }
  // Columns of workload files that mean nothing to this family and are skipped silently.
  const std::vector<std::string>& ignored_columns() const { return ignored_columns_; }

  // Index of the field with this name or alias.
  std::optional<size_t> find(std::string_view name) const;
  bool ignores(std::string_view column) const;

  // Checks type and range of one field's value; integers given for reals and 0/1 for booleans pass.
  StatusOr<Value> check(size_t field, const Value& value) const;
  // Reads a value from text by the field's type; booleans: true/false/1/0/yes/no.
  StatusOr<Value> parse(size_t field, std::string_view text) const;
  // What a value must be, for messages: "a multiple of 8 between 8 and 256".
  std::string expectation(size_t field) const;

 private:
  Schema() = default;
  Status check_names() const;
  Status check_field(size_t field) const;

  std::string family_;
  int version_ = 0;
  std::string documentation_;
  std::vector<Field> fields_;
  std::vector<std::string> ignored_columns_;
};

}  // namespace kiln
