// Matrix instructions as the hardware does them: every lane brings registers, the warp's product is
// computed, every lane gets its share. Which lane holds what is written down here once more, apart
// from the lowering's own knowledge of it, and compared with the vendors' tables by tests.

#pragma once

#include <cstdint>
#include <span>

#include "runtime/emulator/abi.h"

namespace kiln::runtime::emulator {

// What one lane brings to an instruction.
struct MatrixOperands {
  float* sums;           // in and out
  const uint32_t* left;  // two elements a register, low half first
  const uint32_t* right;
};

struct MatrixShape {
  int lanes;
  int m, n, k;
  int left, right, sums;  // elements a lane holds
};

MatrixShape shape_of(KilnEmulatorInstruction instruction);

// D = A B + C in f32. One entry a lane.
void multiply(KilnEmulatorInstruction instruction, KilnEmulatorType type,
              std::span<const MatrixOperands> lanes);

// ldmatrix: four 8x8 matrices, row j of matrix i at rows[8 i + j]; lane l receives elements
// (l / 4, 2 (l % 4)) and the next of its row (transposed: of its column) of each.
void spread_matrices(std::span<const char* const> rows, bool transposed,
                     std::span<uint32_t* const> registers);

float widen(KilnEmulatorType type, uint16_t bits);
// To nearest, ties to even.
uint16_t narrow(KilnEmulatorType type, float x);

}  // namespace kiln::runtime::emulator
