// Bugs to plant into the simt lowering and the kernels, each as an edit of one source file, with
// the variant that runs into it and what must notice it.

#pragma once

#include <string>
#include <vector>

namespace kiln::test {

// Variants that bugs are planted into.
enum class Victim {
  kMma1,         // attention, mma.m16n8k16, one slot
  kMma2,         // two slots
  kMma3,         // three slots
  kGroup1,       // attention, products of a warpgroup, one slot
  kGroup2,       // two slots
  kGroups,       // two warpgroups, head dimension 96: panels of 64 bytes
  kProducer1,    // with a producer, one slot
  kProducer2,    // two warpgroups, two slots
  kBoxes,        // the same by bulk copies, two heads
  kPingPong,     // two warpgroups that take turns, two slots
  kMfma1,        // mfma, one slot
  kMfma2,        // two slots
  kMfmaInTurn,   // one slot, staged in turn
  kMfmaDirect1,  // one slot, staged directly
  kMfmaDirect2,  // two slots
  kChiplets,     // mfma, keys in parts, blocks shared out among chiplets
  kGfx11,        // wmma of gfx11
  kGfx12,        // wmma of gfx12
  kFma,          // f32 by multiply-adds
  kSplit,        // keys in parts
  kWide,         // head dimension 128: two panels a row
  kNarrow,       // head dimension 40
  kGaps,         // rows that are not aligned
  kPoints,       // depthwise, channels in lanes, NHWC
  kPlanes,       // depthwise, channels in lanes, NCHW
  kColumnLanes,  // depthwise, columns in lanes
  kGemmMma,      // gemm, mma.m16n8k16 by four warps, k along both operands' rows
  kGemmDown,     // k down both operands' rows
  kGemmGroups,   // products of two warpgroups, three slots, k down the right operand's rows
  kGemmGroup,    // of one warpgroup, 128 rows, k down the left operand's rows
  kGemmSplit,    // k in three parts
  kGemmBands,    // tiles in bands, dealt to chiplets in runs
  kGemmMfma,     // mfma, chunks pass through registers
  kGemmFma,      // f32 by multiply-adds
  kGemmGaps,     // rows that are not aligned, batches, bias, activation and residual
};
inline constexpr Victim kLastVictim = Victim::kGemmGaps;

// What notices it: a part of the emulator's report, or a wrong result.
inline constexpr const char* kWrong = "expected";
inline constexpr const char* kAny = "";
inline constexpr const char* kRace = "race";
inline constexpr const char* kInFlight = "in flight";
inline constexpr const char* kUninitialised = "uninitialised";
inline constexpr const char* kUnfenced = "missing fence";
inline constexpr const char* kOutside = "out of bounds";
inline constexpr const char* kScattered = "scattered copy";
inline constexpr const char* kMisaligned = "misaligned";
inline constexpr const char* kDivergence = "divergence";
inline constexpr const char* kBadMap = "bad tensor map";

struct PlantedBug {
  const char* name;
  Victim victim;
  const char* file;
  const char* from;  // stands once in the file
  const char* to;
  const char* noticed;
};

const std::vector<PlantedBug>& synchronisation_bugs();
const std::vector<PlantedBug>& staging_bugs();
const std::vector<PlantedBug>& direct_bugs();
const std::vector<PlantedBug>& fragment_bugs();
const std::vector<PlantedBug>& product_bugs();
const std::vector<PlantedBug>& producer_bugs();
const std::vector<PlantedBug>& box_bugs();
const std::vector<PlantedBug>& turn_bugs();
const std::vector<PlantedBug>& kernel_bugs();
const std::vector<PlantedBug>& contraction_bugs();

}  // namespace kiln::test
