#include "core/random.h"

#include <cmath>
#include <vector>

namespace kiln {
namespace {

constexpr uint64_t kGolden = 0x9e3779b97f4a7c15;

// The finaliser of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number
// generators", 2014).
uint64_t mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

// Quantiles of N(0, 1) at the middles of 2^16 equal slices of probability: a draw is one look-up,
// the same on every machine, and reaches ±4.3 deviations.
const std::vector<float>& normal_quantiles() {
  static const std::vector<float> table = [] {
    constexpr size_t kSlices = 1 << 16;
    std::vector<float> quantiles(kSlices);
    for (size_t i = kSlices / 2; i < kSlices; ++i) {
      // Newton on the distribution function, started from the slice before.
      const double p = (static_cast<double>(i) + 0.5) / kSlices;
      double x = i == kSlices / 2 ? 0.0 : quantiles[i - 1];
      for (int step = 0; step < 20; ++step) {
        const double error = 0.5 * std::erfc(-x / std::sqrt(2.0)) - p;
        const double density = std::exp(-0.5 * x * x) / std::sqrt(2 * M_PI);
        const double move = error / density;
        x -= std::fmin(std::fmax(move, -0.5), 0.5);
        if (std::fabs(move) < 1e-9) break;
      }
      quantiles[i] = static_cast<float>(x);
      quantiles[kSlices - 1 - i] = static_cast<float>(-x);
    }
    return quantiles;
  }();
  return table;
}

template <class Element>
void fill(Element* data, int64_t elements, uint64_t key, const std::vector<Element>& table) {
  for (int64_t i = 0; i < elements; i += 4) {
    uint64_t bits = mix(key + static_cast<uint64_t>(i) * kGolden);
    for (int64_t j = i; j < i + 4 && j < elements; ++j, bits >>= 16)
      data[j] = table[bits & 0xffff];
  }
}

template <class Element>
std::vector<Element> rounded_table(Dtype dtype, double deviation) {
  const std::vector<float>& quantiles = normal_quantiles();
  std::vector<Element> table(quantiles.size());
  for (size_t i = 0; i < table.size(); ++i) {
    store_element(dtype, &table[i], static_cast<double>(quantiles[i]) * deviation);
  }
  return table;
}

}  // namespace

uint64_t random_bits(uint64_t seed, uint64_t index) {
  return mix(mix(seed + kGolden) + index * kGolden);
}

uint64_t random_below(uint64_t seed, uint64_t index, uint64_t n) {
  return static_cast<uint64_t>((static_cast<unsigned __int128>(random_bits(seed, index)) * n) >>
                               64);
}

void fill_normal(HostTensor& tensor, uint64_t seed, uint64_t stream, double deviation) {
  const uint64_t key = random_bits(seed, stream);
  const int64_t elements = tensor.elements();
  switch (size_of(tensor.dtype)) {
    case 2:
      return fill(static_cast<uint16_t*>(tensor.data), elements, key,
                  rounded_table<uint16_t>(tensor.dtype, deviation));
    case 4:
      return fill(static_cast<uint32_t*>(tensor.data), elements, key,
                  rounded_table<uint32_t>(tensor.dtype, deviation));
    default:
      return fill(static_cast<uint64_t*>(tensor.data), elements, key,
                  rounded_table<uint64_t>(tensor.dtype, deviation));
  }
}

}  // namespace kiln
