// Element types of tensors, and conversion of single elements to and from double.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace kiln {

enum class Dtype : uint8_t { kF32, kF16, kBF16, kF64, kI32, kI64 };

size_t size_of(Dtype dtype);
std::string_view name_of(Dtype dtype);  // "f32", "f16", "bf16", "f64", "i32", "i64"
std::optional<Dtype> parse_dtype(std::string_view name);

// Half a unit in the last place, relative: 2^-24, 2^-11, 2^-8, 2^-53; 0 for integers.
double unit_roundoff(Dtype dtype);

double load_element(Dtype dtype, const void* address);
// Rounds to nearest, ties to even; overflow of f16 and bf16 gives infinity.
void store_element(Dtype dtype, void* address, double value);

}  // namespace kiln
