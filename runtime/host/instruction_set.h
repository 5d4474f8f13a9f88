// Instruction sets of host artifacts, from weakest to strongest; asks the processor, assumes
// nothing.

#pragma once

#include <optional>
#include <string_view>

#include "core/target.h"

namespace kiln::runtime {

// baseline: x86-64 with SSE2. avx2: x86-64-v3 (AVX2, FMA, F16C). avx512: x86-64-v4 (F, BW, DQ, VL,
// CD). avx512bf16: that with BF16 dot products.
enum class InstructionSet : unsigned char { kBaseline, kAvx2, kAvx512, kAvx512Bf16 };

std::string_view name_of(InstructionSet set);
std::optional<InstructionSet> parse_instruction_set(std::string_view name);

// The strongest set that this processor and operating system support.
InstructionSet best_instruction_set();
// Whether code compiled for `set` runs here.
bool can_run(InstructionSet set);

}  // namespace kiln::runtime
