// Kernel of the family for tests; compiled at run time, see trial_family.h. Includes nothing.

#pragma once

namespace trial {

using f32 = float;
using i64 = long long;

enum Behaviour : int {
  kSlow,
  kSlower,
  kFast,
  kWrong,
  kNan,
  kUnwritten,
  kBefore,
  kAfter,
  kInput,
  kSegfault,
  kAbort,
  kExit,
  kLoop,
  kFork,
  kPrint,
  kAllocate,
  kBroken,
  kFlaky,
  kOverfitted,
  kSpills
};

constexpr i64 kBlock = 4096;  // elements

struct Args {
  f32* x;
  i64 x_stride;
  f32* y;
  i64 y_stride;
  f32* out;
  i64 out_stride;
  f32* twice;
  i64 twice_stride;
  i64 n;
  double scale;
};

inline i64 system_call(i64 number, i64 a, i64 b, i64 c, i64 d, i64 e) {
  i64 result;
  register i64 r10 asm("r10") = d;
  register i64 r8 asm("r8") = e;
  register i64 r9 asm("r9") = 0;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
}

inline i64 launches = 0;

template <class Config>
struct Scale {
  static constexpr int kBehaviour = Config::behaviour;
  static_assert(kBehaviour != kBroken, "this variant does not compile");

  static void misbehave(const Args& a) {
    volatile f32* out = a.out;
    if constexpr (kBehaviour == kWrong) out[a.n / 2] = out[a.n / 2] + 1.0f;
    if constexpr (kBehaviour == kNan) out[a.n / 2] = __builtin_nanf("");
    if constexpr (kBehaviour == kBefore) out[-1] = 1.0f;
    if constexpr (kBehaviour == kAfter) out[a.n] = 1.0f;
    if constexpr (kBehaviour == kInput) *(volatile f32*)a.x = 3.0f;
    if constexpr (kBehaviour == kSegfault) *(volatile int*)16 = 1;
    if constexpr (kBehaviour == kAbort) asm volatile("ud2");
    if constexpr (kBehaviour == kExit) system_call(231, 0, 0, 0, 0, 0);
    if constexpr (kBehaviour == kLoop) {
      for (;;)
        asm volatile("");
    }
    if constexpr (kBehaviour == kFork) {
      for (int i = 0; i < 20; ++i)
        system_call(57, 0, 0, 0, 0, 0);
    }
    if constexpr (kBehaviour == kPrint) {
      static const char text[] = "the variant talks\n";
      for (;;)
        system_call(1, 1, (i64)text, sizeof text - 1, 0, 0);
    }
    if constexpr (kBehaviour == kAllocate) {
      // Until the system refuses; the address is then -errno, which is no memory.
      for (;;)
        *(volatile char*)system_call(9, 0, 1 << 26, 3, 0x22, -1) = 1;
    }
    if constexpr (kBehaviour == kFlaky) {
      if (launches++ > 0) out[a.n / 2] = out[a.n / 2] + 1.0f;
    }
    if constexpr (kBehaviour == kOverfitted) {
      if (a.x[0] != 1.0f) out[a.n / 2] = out[a.n / 2] + 1.0f;
    }
  }

  static void run(const Args& a, i64 block) {
    const i64 first = block * kBlock;
    const i64 last = first + kBlock < a.n ? first + kBlock : a.n;
    const int rounds = kBehaviour == kSlow ? 20 : kBehaviour == kSlower ? 80 : 1;
    for (int round = 0; round < rounds; ++round) {
      asm volatile("" : : : "memory");
      for (i64 i = first; i < last; ++i) {
        if (kBehaviour == kUnwritten && i == a.n / 2) continue;
        const f32 value = (f32)a.scale * a.x[i] + a.y[i];
        a.out[i] = value;
        if (a.twice) a.twice[i] = 2 * value;
      }
    }
    if (last == a.n) misbehave(a);
  }
};

}  // namespace trial
