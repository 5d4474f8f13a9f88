#include "tuner/poison.h"

#include <algorithm>
#include <cstring>

namespace kiln::tuner {

namespace {

template <class Word>
constexpr Word poison_of(Dtype dtype) {
  switch (dtype) {
    case Dtype::kF16:
      return Word(0x7DA5);
    case Dtype::kBF16:
      return Word(0x7FA5);
    case Dtype::kF32:
      return Word(0x7FA5A5A5);
    case Dtype::kF64:
      return Word(0x7FF5A5A5A5A5A5A5);
    case Dtype::kI32:
    case Dtype::kI64:
      return Word(0xA5A5A5A5A5A5A5A5);
  }
  return 0;
}

// Bits of infinity: whatever is above, without its sign, is NaN. 0 for integers.
constexpr uint64_t infinity_of(Dtype dtype) {
  switch (dtype) {
    case Dtype::kF16:
      return 0x7C00;
    case Dtype::kBF16:
      return 0x7F80;
    case Dtype::kF32:
      return 0x7F800000;
    case Dtype::kF64:
      return 0x7FF0000000000000;
    case Dtype::kI32:
    case Dtype::kI64:
      return 0;
  }
  return 0;
}

template <class Word>
void fill(Dtype dtype, void* data, int64_t bytes) {
  std::fill_n(static_cast<Word*>(data), bytes / int64_t(sizeof(Word)), poison_of<Word>(dtype));
}

template <class Word>
int64_t find(Dtype dtype, const void* data, int64_t elements) {
  constexpr int64_t kBlock = 4096;
  const Word* words = static_cast<const Word*>(data);
  const Word poison = poison_of<Word>(dtype);
  const Word infinity = Word(infinity_of(dtype));
  const Word magnitude = Word(~Word(0)) >> 1;
  const auto bad = [&](Word word) {
    return infinity != 0 ? Word(word & magnitude) > infinity : word == poison;
  };
  for (int64_t start = 0; start < elements; start += kBlock) {
    const int64_t end = std::min(elements, start + kBlock);
    Word any = 0;  // no early exit inside, so that the compiler can vectorise
    for (int64_t i = start; i < end; ++i)
      any |= Word(bad(words[i]));
    if (any == 0) continue;
    return std::find_if(words + start, words + end, bad) - words;
  }
  return elements;
}

}  // namespace

void fill_poison(Dtype dtype, void* data, int64_t bytes) {
  switch (size_of(dtype)) {
    case 2:
      return fill<uint16_t>(dtype, data, bytes);
    case 4:
      return fill<uint32_t>(dtype, data, bytes);
    default:
      return fill<uint64_t>(dtype, data, bytes);
  }
}

bool is_poison(const HostTensor& tensor, int64_t offset) {
  const size_t size = size_of(tensor.dtype);
  uint64_t bits = 0;  // little-endian, as everything Kiln runs on
  memcpy(&bits, static_cast<const char*>(tensor.data) + offset * int64_t(size), size);
  switch (size) {
    case 2:
      return uint16_t(bits) == poison_of<uint16_t>(tensor.dtype);
    case 4:
      return uint32_t(bits) == poison_of<uint32_t>(tensor.dtype);
    default:
      return bits == poison_of<uint64_t>(tensor.dtype);
  }
}

int64_t find_nan(Dtype dtype, const void* data, int64_t elements) {
  switch (size_of(dtype)) {
    case 2:
      return find<uint16_t>(dtype, data, elements);
    case 4:
      return find<uint32_t>(dtype, data, elements);
    default:
      return find<uint64_t>(dtype, data, elements);
  }
}

}  // namespace kiln::tuner
