#include "core/dtype.h"

#include <bit>
#include <cmath>
#include <cstring>

namespace kiln {
namespace {

struct Properties {
  Dtype dtype;
  std::string_view name;
  size_t size;
  double roundoff;
};

constexpr Properties kProperties[] = {
    {Dtype::kF32, "f32", 4, 0x1p-24},  {Dtype::kF16, "f16", 2, 0x1p-11},
    {Dtype::kBF16, "bf16", 2, 0x1p-8}, {Dtype::kF64, "f64", 8, 0x1p-53},
    {Dtype::kI32, "i32", 4, 0.0},      {Dtype::kI64, "i64", 8, 0.0},
};

const Properties& properties(Dtype dtype) {
  return kProperties[static_cast<size_t>(dtype)];
}

template <class T>
T read(const void* address) {
  T value;
  std::memcpy(&value, address, sizeof value);
  return value;
}

template <class T>
void write(void* address, T value) {
  std::memcpy(address, &value, sizeof value);
}

double f16_to_double(uint16_t bits) {
  const int exponent = (bits >> 10) & 31;
  const int mantissa = bits & 1023;
  double magnitude;
  if (exponent == 31) {
    magnitude = mantissa == 0 ? INFINITY : NAN;
  } else if (exponent == 0) {
    magnitude = std::ldexp(mantissa, -24);
  } else {
    magnitude = std::ldexp(1024 + mantissa, exponent - 25);
  }
  return bits & 0x8000 ? -magnitude : magnitude;
}

// Rounds straight from double, so that no result is rounded twice.
uint16_t double_to_f16(double value) {
  const uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  const double magnitude = std::fabs(value);
  if (std::isnan(value)) return sign | 0x7e00;
  if (magnitude >= 65520.0) return sign | 0x7c00;  // halfway to the first overflow rounds up
  if (magnitude < 0x1p-14) return sign | static_cast<uint16_t>(std::nearbyint(magnitude * 0x1p24));
  int exponent;
  const double fraction = std::frexp(magnitude, &exponent);                 // in [0.5, 1)
  const auto mantissa = static_cast<int>(std::nearbyint(fraction * 2048));  // in [1024, 2048]
  return sign | static_cast<uint16_t>(((exponent + 13) << 10) + mantissa);
}

uint16_t double_to_bf16(double value) {
  if (std::isnan(value)) return 0x7fc0;
  // Rounding to odd keeps what the second rounding needs to know about the dropped bits.
  float single = static_cast<float>(value);
  uint32_t bits = std::bit_cast<uint32_t>(single);
  if (std::isfinite(single) && static_cast<double>(single) != value) {
    if (std::fabs(static_cast<double>(single)) > std::fabs(value)) bits -= 1;
    bits |= 1;
  }
  if (std::isinf(single)) {
    // float overflowed; bf16 has the same range, values that round down stay finite.
    return (std::signbit(value) ? 0x8000 : 0) | 0x7f80;
  }
  bits += 0x7fff + ((bits >> 16) & 1);
  return static_cast<uint16_t>(bits >> 16);
}

}  // namespace

size_t size_of(Dtype dtype) {
  return properties(dtype).size;
}

std::string_view name_of(Dtype dtype) {
  return properties(dtype).name;
}

std::optional<Dtype> parse_dtype(std::string_view name) {
  for (const Properties& p : kProperties) {
    if (p.name == name) return p.dtype;
  }
  return std::nullopt;
}

double unit_roundoff(Dtype dtype) {
  return properties(dtype).roundoff;
}

double load_element(Dtype dtype, const void* address) {
  switch (dtype) {
    case Dtype::kF32:
      return read<float>(address);
    case Dtype::kF16:
      return f16_to_double(read<uint16_t>(address));
    case Dtype::kBF16:
      return std::bit_cast<float>(static_cast<uint32_t>(read<uint16_t>(address)) << 16);
    case Dtype::kF64:
      return read<double>(address);
    case Dtype::kI32:
      return read<int32_t>(address);
    case Dtype::kI64:
      return static_cast<double>(read<int64_t>(address));
  }
  return 0;
}

void store_element(Dtype dtype, void* address, double value) {
  switch (dtype) {
    case Dtype::kF32:
      return write(address, static_cast<float>(value));
    case Dtype::kF16:
      return write(address, double_to_f16(value));
    case Dtype::kBF16:
      return write(address, double_to_bf16(value));
    case Dtype::kF64:
      return write(address, value);
    case Dtype::kI32:
      return write(address, static_cast<int32_t>(value));
    case Dtype::kI64:
      return write(address, static_cast<int64_t>(value));
  }
}

}  // namespace kiln
