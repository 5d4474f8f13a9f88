// Arrays as .npy files, NumPy's format 1.0: a header in text, then the elements, last axis fastest.

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/dtype.h"
#include "core/status.h"

namespace kiln::tunectl {

// NumPy's name for a type. It has none for bf16, which is stored as its 16 bits ("<u2").
std::string_view npy_type(Dtype dtype);

// The whole file; `bytes` holds the product of `shape` elements.
std::string npy_file(std::string_view type, std::span<const int64_t> shape, std::string_view bytes);

}  // namespace kiln::tunectl
