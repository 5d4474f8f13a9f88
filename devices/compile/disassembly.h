// Counts instructions in a disassembly, function by function.

#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/status.h"
#include "devices/compile/backend.h"

namespace kiln::devices {

struct InstructionCount {
  int64_t all = 0;
  int64_t matrix = 0;
  int64_t warpgroup = 0;  // of these, those of a warpgroup together
};
using InstructionCounts = std::map<std::string, InstructionCount, std::less<>>;

// nvdisasm's text: "\t.section .text.forward", then "/*0010*/ @P0 HMMA.16816.F32 R4, …".
InstructionCounts count_sass(std::string_view text);
// llvm-objdump's text: "0000000000001900 <forward>:", then "\tv_mfma_f32_16x16x16_f16 …".
InstructionCounts count_gcn(std::string_view text);

// Runs the disassembler on what the job built and enters what `count` finds. Counts are a service,
// not a condition: without a disassembler (`program` empty) they stay unknown. Errors as
// run_program() says.
Status count_instructions(const BuildJob& job, const std::string& program,
                          const std::vector<std::string>& arguments,
                          InstructionCounts (*count)(std::string_view),
                          std::vector<ResourceUse>& entries);

}  // namespace kiln::devices
