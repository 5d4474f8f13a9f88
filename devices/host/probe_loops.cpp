#include "devices/host/probe_loops.h"

#include <immintrin.h>

namespace kiln::devices {
namespace {

using runtime::InstructionSet;

// Enough independent chains to cover 4 or 5 cycles of latency on two units, few enough for the
// registers.
constexpr int kChains = 12;
constexpr int kRounds = 1024;

// Keeps a value, and thus the loop that made it, from being optimised away or folded.
#define KILN_KEEP(value) __asm__ volatile("" : "+x"(value))
#define KILN_KEEP_WIDE(value) __asm__ volatile("" : "+v"(value))

// x * 1 + 0: the values stay finite and normal for any number of rounds.
double fma_baseline() {
  __m128 sums[kChains], one = _mm_set1_ps(1.0f), zero = _mm_setzero_ps();
  KILN_KEEP(one);
  KILN_KEEP(zero);
  for (auto& sum : sums)
    sum = _mm_set1_ps(1.0f);
  for (int round = 0; round < kRounds; ++round) {
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) {
      sums[i] = _mm_add_ps(_mm_mul_ps(sums[i], one), zero);
      KILN_KEEP(sums[i]);
    }
  }
  return 2.0 * 4 * kChains * kRounds;
}

__attribute__((target("avx2,fma"))) double fma_avx2() {
  __m256 sums[kChains], one = _mm256_set1_ps(1.0f), zero = _mm256_setzero_ps();
  KILN_KEEP(one);
  KILN_KEEP(zero);
  for (auto& sum : sums)
    sum = _mm256_set1_ps(1.0f);
  for (int round = 0; round < kRounds; ++round) {
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) {
      sums[i] = _mm256_fmadd_ps(sums[i], one, zero);
      KILN_KEEP(sums[i]);
    }
  }
  return 2.0 * 8 * kChains * kRounds;
}

__attribute__((target("avx512f"))) double fma_avx512() {
  __m512 sums[kChains], one = _mm512_set1_ps(1.0f), zero = _mm512_setzero_ps();
  KILN_KEEP_WIDE(one);
  KILN_KEEP_WIDE(zero);
  for (auto& sum : sums)
    sum = _mm512_set1_ps(1.0f);
  for (int round = 0; round < kRounds; ++round) {
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) {
      sums[i] = _mm512_fmadd_ps(sums[i], one, zero);
      KILN_KEEP_WIDE(sums[i]);
    }
  }
  return 2.0 * 16 * kChains * kRounds;
}

__attribute__((target("avx512f,avx512bf16"))) double bf16_dot_avx512() {
  __m512 sums[kChains];
  __m512i words = _mm512_setzero_si512();
  KILN_KEEP_WIDE(words);
  for (auto& sum : sums)
    sum = _mm512_set1_ps(1.0f);
  for (int round = 0; round < kRounds; ++round) {
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) {
      sums[i] = _mm512_dpbf16_ps(sums[i], (__m512bh)words, (__m512bh)words);
      KILN_KEEP_WIDE(sums[i]);
    }
  }
  return 2.0 * 32 * kChains * kRounds;
}

void read_baseline(const std::byte* from, size_t bytes) {
  __m128i mix[4] = {};
  for (size_t at = 0; at < bytes; at += 64) {
#pragma GCC unroll 4
    for (size_t i = 0; i < 4; ++i) {
      const auto* address = reinterpret_cast<const __m128i*>(from + at + 16 * i);
      mix[i] = _mm_or_si128(mix[i], _mm_load_si128(address));
    }
  }
  for (auto& part : mix)
    KILN_KEEP(part);
}

__attribute__((target("avx2"))) void read_avx2(const std::byte* from, size_t bytes) {
  __m256i mix[4] = {};
  for (size_t at = 0; at < bytes; at += 128) {
#pragma GCC unroll 4
    for (size_t i = 0; i < 4; ++i) {
      const auto* address = reinterpret_cast<const __m256i*>(from + at + 32 * i);
      mix[i] = _mm256_or_si256(mix[i], _mm256_load_si256(address));
    }
  }
  for (auto& part : mix)
    KILN_KEEP(part);
}

__attribute__((target("avx512f"))) void read_avx512(const std::byte* from, size_t bytes) {
  __m512i mix[4] = {};
  for (size_t at = 0; at < bytes; at += 256) {
#pragma GCC unroll 4
    for (size_t i = 0; i < 4; ++i) {
      mix[i] = _mm512_or_si512(mix[i], _mm512_load_si512(from + at + 64 * i));
    }
  }
  for (auto& part : mix)
    KILN_KEEP_WIDE(part);
}

void copy_baseline(std::byte* to, const std::byte* from, size_t bytes) {
  for (size_t at = 0; at < bytes; at += 64) {
#pragma GCC unroll 4
    for (size_t i = 0; i < 64; i += 16) {
      _mm_stream_si128(reinterpret_cast<__m128i*>(to + at + i),
                       _mm_load_si128(reinterpret_cast<const __m128i*>(from + at + i)));
    }
  }
  _mm_sfence();
}

__attribute__((target("avx2"))) void copy_avx2(std::byte* to, const std::byte* from, size_t bytes) {
  for (size_t at = 0; at < bytes; at += 128) {
#pragma GCC unroll 4
    for (size_t i = 0; i < 128; i += 32) {
      _mm256_stream_si256(reinterpret_cast<__m256i*>(to + at + i),
                          _mm256_load_si256(reinterpret_cast<const __m256i*>(from + at + i)));
    }
  }
  _mm_sfence();
}

__attribute__((target("avx512f"))) void copy_avx512(std::byte* to, const std::byte* from,
                                                    size_t bytes) {
  for (size_t at = 0; at < bytes; at += 256) {
#pragma GCC unroll 4
    for (size_t i = 0; i < 256; i += 64) {
      _mm512_stream_si512(reinterpret_cast<__m512i*>(to + at + i),
                          _mm512_load_si512(from + at + i));
    }
  }
  _mm_sfence();
}

}  // namespace

ProbeLoops probe_loops(InstructionSet set) {
  switch (set) {
    case InstructionSet::kBaseline:
      return {fma_baseline, nullptr, read_baseline, copy_baseline};
    case InstructionSet::kAvx2:
      return {fma_avx2, nullptr, read_avx2, copy_avx2};
    case InstructionSet::kAvx512:
      return {fma_avx512, nullptr, read_avx512, copy_avx512};
    case InstructionSet::kAvx512Bf16:
      return {fma_avx512, bf16_dot_avx512, read_avx512, copy_avx512};
  }
  return {fma_baseline, nullptr, read_baseline, copy_baseline};
}

}  // namespace kiln::devices
