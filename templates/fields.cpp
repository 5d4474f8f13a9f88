#include "templates/fields.h"

#include <utility>

namespace kiln {

Field size_field(std::string name, std::string documentation, int64_t maximum, Bucketing bucketing,
                 std::vector<std::string> aliases) {
  return {.name = std::move(name),
          .field_class = FieldClass::kSized,
          .documentation = std::move(documentation),
          .minimum = 1,
          .maximum = double(maximum),
          .bucketing = bucketing,
          .aliases = std::move(aliases)};
}

Field dtype_field(std::string documentation) {
  return {.name = "dtype",
          .type = FieldType::kChoice,
          .documentation = std::move(documentation),
          .choices = {"f32", "f16", "bf16"}};
}

}  // namespace kiln
