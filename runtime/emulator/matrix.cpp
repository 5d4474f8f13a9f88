#include "runtime/emulator/matrix.h"

#include <array>
#include <cmath>
#include <cstring>
#include <vector>

#include "core/dtype.h"

namespace kiln::runtime::emulator {
namespace {

constexpr int kMost = 16;  // rows, columns and depth

struct Place {
  int row, column;
};

// Element e of a lane: where it stands in A [m, k], B [k, n] and C [m, n].
struct Layout {
  MatrixShape shape;
  Place (*a)(int lane, int e);
  Place (*b)(int lane, int e);
  Place (*c)(int lane, int e);
};

// PTX ISA: groupID = lane >> 2, threadID_in_group = lane % 4.
Place mma_a(int lane, int e) {
  const bool upper = e == 2 || e == 3 || e == 6 || e == 7;
  return {(lane >> 2) + (upper ? 8 : 0), (lane & 3) * 2 + (e & 1) + (e < 4 ? 0 : 8)};
}
Place mma_b(int lane, int e) {
  return {(lane & 3) * 2 + (e & 1) + (e < 2 ? 0 : 8), lane >> 2};
}
Place mma_c(int lane, int e) {
  return {(lane >> 2) + (e < 2 ? 0 : 8), (lane & 3) * 2 + (e & 1)};
}

// CDNA: four groups of 16 lanes, four consecutive elements each.
Place mfma_a(int lane, int e) {
  return {lane & 15, 4 * (lane >> 4) + e};
}
Place mfma_b(int lane, int e) {
  return {4 * (lane >> 4) + e, lane & 15};
}
Place mfma_c(int lane, int e) {
  return {4 * (lane >> 4) + e, lane & 15};
}

// RDNA 3: both halves of the wave hold all of A and B.
Place gfx11_a(int lane, int e) {
  return {lane & 15, e};
}
Place gfx11_b(int lane, int e) {
  return {e, lane & 15};
}
Place gfx11_c(int lane, int e) {
  return {2 * e + (lane >> 4), lane & 15};
}

// RDNA 4: two groups of 16 lanes, eight consecutive elements each.
Place gfx12_a(int lane, int e) {
  return {lane & 15, 8 * (lane >> 4) + e};
}
Place gfx12_b(int lane, int e) {
  return {8 * (lane >> 4) + e, lane & 15};
}
Place gfx12_c(int lane, int e) {
  return {8 * (lane >> 4) + e, lane & 15};
}

const Layout& layout_of(KilnEmulatorInstruction instruction) {
  static constexpr Layout kMma{{32, 16, 8, 16, 8, 4, 4}, mma_a, mma_b, mma_c};
  static constexpr Layout kMfma{{64, 16, 16, 16, 4, 4, 4}, mfma_a, mfma_b, mfma_c};
  static constexpr Layout kGfx11{{32, 16, 16, 16, 16, 16, 8}, gfx11_a, gfx11_b, gfx11_c};
  static constexpr Layout kGfx12{{32, 16, 16, 16, 8, 8, 8}, gfx12_a, gfx12_b, gfx12_c};
  switch (instruction) {
    case kKilnEmulatorMmaM16N8K16:
      return kMma;
    case kKilnEmulatorMfma16x16x16:
      return kMfma;
    case kKilnEmulatorWmmaGfx11:
      return kGfx11;
    case kKilnEmulatorWmmaGfx12:
      break;
  }
  return kGfx12;
}

const std::vector<float>& f16_values() {
  static const std::vector<float> values = [] {
    std::vector<float> all(1 << 16);
    for (uint32_t bits = 0; bits < all.size(); ++bits) {
      const uint16_t half = uint16_t(bits);
      all[bits] = float(load_element(Dtype::kF16, &half));
    }
    return all;
  }();
  return values;
}

uint16_t element(const uint32_t* registers, int e) {
  return uint16_t(registers[e / 2] >> (e % 2 * 16));
}

}  // namespace

MatrixShape shape_of(KilnEmulatorInstruction instruction) {
  return layout_of(instruction).shape;
}

float widen(KilnEmulatorType type, uint16_t bits) {
  if (type == kKilnEmulatorF16) return f16_values()[bits];
  const uint32_t wide = uint32_t(bits) << 16;
  float x;
  std::memcpy(&x, &wide, sizeof x);
  return x;
}

uint16_t narrow(KilnEmulatorType type, float x) {
  uint16_t bits = 0;
  store_element(type == kKilnEmulatorF16 ? Dtype::kF16 : Dtype::kBF16, &bits, x);
  return bits;
}

void multiply(KilnEmulatorInstruction instruction, KilnEmulatorType type,
              std::span<const MatrixOperands> lanes) {
  const Layout& layout = layout_of(instruction);
  const MatrixShape& s = layout.shape;
  float a[kMost][kMost], b[kMost][kMost];  // b transposed: [n][k]
  for (int lane = 0; lane < s.lanes; ++lane) {
    const MatrixOperands& own = lanes[size_t(lane)];
    for (int e = 0; e < s.left; ++e) {
      const Place p = layout.a(lane, e);
      a[p.row][p.column] = widen(type, element(own.left, e));
    }
    for (int e = 0; e < s.right; ++e) {
      const Place p = layout.b(lane, e);
      b[p.column][p.row] = widen(type, element(own.right, e));
    }
  }
  float d[kMost][kMost];
  for (int m = 0; m < s.m; ++m) {
    for (int n = 0; n < s.n; ++n) {
      float sum = 0;
      for (int k = 0; k < s.k; ++k)
        sum += a[m][k] * b[n][k];
      d[m][n] = sum;
    }
  }
  for (int lane = 0; lane < s.lanes; ++lane) {
    for (int e = 0; e < s.sums; ++e) {
      const Place p = layout.c(lane, e);
      lanes[size_t(lane)].sums[e] += d[p.row][p.column];
    }
  }
}

void spread_matrices(std::span<const char* const> rows, bool transposed,
                     std::span<uint32_t* const> registers) {
  for (int matrix = 0; matrix < 4; ++matrix) {
    uint16_t values[8][8];
    for (int row = 0; row < 8; ++row)
      std::memcpy(values[row], rows[size_t(8) * size_t(matrix) + size_t(row)], 16);
    for (int lane = 0; lane < 32; ++lane) {
      const int row = lane / 4, column = 2 * (lane % 4);
      const uint16_t low = transposed ? values[column][row] : values[row][column];
      const uint16_t high = transposed ? values[column + 1][row] : values[row][column + 1];
      registers[size_t(lane)][matrix] = low | uint32_t(high) << 16;
    }
  }
}

}  // namespace kiln::runtime::emulator
