// The register-blocked product of the panels layout: elements of the left operand are broadcast,
// columns of the right one lie in lanes.
//
// A panel is NV vectors of columns, k after k, so that a step along k reads NV * kLanes neighbours.

#pragma once

#include "tile/wide/multiplicand.h"

namespace tile {

// Rows of a left operand, each contiguous along k.
template <class Lane>
struct LeftRows {
  const Lane* const* rows;
  int count;

  template <int MR>
  struct Group {
    const Lane* row[MR];
    TILE_FN Lane at(int i, int k) const {
      typedef Lane LaneUnaligned __attribute__((aligned(2), may_alias));
      return ((const LaneUnaligned*)row[i])[k];
    }
  };
  template <int MR>
  TILE_FN Group<MR> group(int first) const {
    Group<MR> g;
    TILE_UNROLL
    for (int i = 0; i < MR; ++i)
      g.row[i] = rows[first + i];
    return g;
  }
  // The beginning of a group's rows; hardware goes on from there. `first` may be behind the last.
  template <int MR>
  TILE_FN void fetch(int first) const {
    if (first >= count) return;
    TILE_UNROLL
    for (int i = 0; i < MR; ++i) {
      __builtin_prefetch(rows[first + i], 0, 3);
      __builtin_prefetch(rows[first + i] + 16, 0, 3);
    }
  }
};

// Groups of rows of a left operand, packed k after k.
template <class Lane>
struct LeftGroups {
  const Lane* lanes;
  i64 stride;  // between groups

  template <int MR>
  struct Group {
    const Lane* lanes;
    TILE_FN Lane at(int i, int k) const { return lanes[k * MR + i]; }
  };
  template <int MR>
  TILE_FN Group<MR> group(int first) const {
    return {lanes + first / MR * stride};
  }
  template <int MR>
  TILE_FN void fetch(int first) const {
    __builtin_prefetch(lanes + first / MR * stride, 0, 3);
    __builtin_prefetch(lanes + first / MR * stride + 16, 0, 3);
  }
};

// c[i][j] (+)= sum over k < depth of a(first + i, k) panel[k][j] for MR rows and one panel.
template <int NV, int MR, bool kAccumulate, class Left, class Lane>
TILE_FN void multiply_panel(float* __restrict c, i64 c_stride, const Left& a, int first,
                            const Lane* __restrict panel, int depth) {
  typedef Lane Vector __attribute__((vector_size(kVectorBytes)));
  const auto left = a.template group<MR>(first);
  VecF32 sum[MR][NV];
  TILE_UNROLL
  for (int i = 0; i < MR; ++i) {
    TILE_UNROLL
    for (int v = 0; v < NV; ++v) {
      sum[i][v] = kAccumulate ? *(const VecF32*)(c + i * c_stride + v * kLanes) : VecF32{};
    }
  }
  _Pragma("clang loop unroll_count(2)") for (int k = 0; k < depth; ++k) {
    Vector column[NV];
    TILE_UNROLL
    for (int v = 0; v < NV; ++v)
      column[v] = *(const Vector*)(panel + v * kLanes);
    TILE_UNROLL
    for (int i = 0; i < MR; ++i) {
      const Lane element = left.at(i, k);
      TILE_UNROLL
      for (int v = 0; v < NV; ++v)
        sum[i][v] = multiply_add(sum[i][v], column[v], element);
    }
    panel += NV * kLanes;
  }
  TILE_UNROLL
  for (int i = 0; i < MR; ++i) {
    TILE_UNROLL
    for (int v = 0; v < NV; ++v)
      *(VecF32*)(c + i * c_stride + v * kLanes) = sum[i][v];
  }
}

}  // namespace tile
