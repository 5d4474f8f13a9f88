// Fields that the schemas of several families have.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/schema.h"

namespace kiln {

// A size of 1 to `maximum`, given when a kernel is launched.
Field size_field(std::string name, std::string documentation, int64_t maximum, Bucketing bucketing,
                 std::vector<std::string> aliases = {});

// "dtype": f32, f16 or bf16.
Field dtype_field(std::string documentation);

}  // namespace kiln
