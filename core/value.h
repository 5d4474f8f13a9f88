// The value of one problem field, and its text and order.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace kiln {

// Alternatives in this order: integer, real, boolean, choice.
using Value = std::variant<int64_t, double, bool, std::string>;

// "4096", "0.125" (shortest text that reads back the same), "true", "bf16".
std::string to_text(const Value& value);

}  // namespace kiln
