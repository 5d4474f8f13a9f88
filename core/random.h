// Reproducible random numbers: the same on every machine and compiler, addressable by index.

#pragma once

#include <cstdint>

#include "core/tensor.h"

namespace kiln {

// A well-mixed 64-bit hash of (seed, index).
uint64_t random_bits(uint64_t seed, uint64_t index);
// Uniform in [0, n).
uint64_t random_below(uint64_t seed, uint64_t index, uint64_t n);

// Fills a contiguous tensor with N(0, deviation²), element i from (seed, stream, i), rounded to its
// dtype. At least 100 million elements a second and thread.
void fill_normal(HostTensor& tensor, uint64_t seed, uint64_t stream, double deviation = 1.0);

}  // namespace kiln
