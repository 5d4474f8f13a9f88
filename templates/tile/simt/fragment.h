// Which lane of a warp holds which element of a matrix instruction's operands, as the vendors
// document it. Plain constexpr functions; needs no target.
//
// D = A B + C with A [m, k], B [k, n], C and D [m, n]. Elements of a lane are numbered in the order
// of its registers, the low half of a 32-bit register first.
//
//     left(lane, e)   -> {m, k}   of A
//     right(lane, e)  -> {k, n}   of B
//     sum(lane, e)    -> {m, n}   of C and D
//
// Sources: PTX ISA, "Matrix fragments for mma.m16n8k16 with floating point type" and "Register
// fragments for wgmma.mma_async.m64nNk16"; AMD CDNA3 ISA,
// "Matrix arithmetic instructions"; AMD RDNA3 and RDNA4 ISA, "Wave matrix multiply accumulate".

#pragma once

#include "tile/core.h"

namespace tile {

struct Position {
  int row, column;
};

// A lane's registers per operand follow from the element counts: two 16-bit elements a register.
struct MmaM16N8K16 {
  static constexpr int kLanes = 32, kM = 16, kN = 8, kK = 16;
  static constexpr int kLeft = 8, kRight = 4, kSums = 4;
  static TILE_FN constexpr Position left(int lane, int e) {
    return {lane / 4 + e / 2 % 2 * 8, lane % 4 * 2 + e % 2 + e / 4 * 8};
  }
  static TILE_FN constexpr Position right(int lane, int e) {
    return {lane % 4 * 2 + e % 2 + e / 2 * 8, lane / 4};
  }
  static TILE_FN constexpr Position sum(int lane, int e) {
    return {lane / 4 + e / 2 * 8, lane % 4 * 2 + e % 2};
  }
};

// v_mfma_f32_16x16x16_f16, v_mfma_f32_16x16x16_bf16_1k
struct Mfma16x16x16 {
  static constexpr int kLanes = 64, kM = 16, kN = 16, kK = 16;
  static constexpr int kLeft = 4, kRight = 4, kSums = 4;
  static TILE_FN constexpr Position left(int lane, int e) { return {lane % 16, lane / 16 * 4 + e}; }
  static TILE_FN constexpr Position right(int lane, int e) {
    return {lane / 16 * 4 + e, lane % 16};
  }
  static TILE_FN constexpr Position sum(int lane, int e) { return {lane / 16 * 4 + e, lane % 16}; }
};

// v_wmma_f32_16x16x16_f16 and _bf16 of gfx11, wave32: lanes 16 to 31 repeat the operands of lanes 0
// to 15.
struct WmmaGfx11 {
  static constexpr int kLanes = 32, kM = 16, kN = 16, kK = 16;
  static constexpr int kLeft = 16, kRight = 16, kSums = 8;
  static TILE_FN constexpr Position left(int lane, int e) { return {lane % 16, e}; }
  static TILE_FN constexpr Position right(int lane, int e) { return {e, lane % 16}; }
  static TILE_FN constexpr Position sum(int lane, int e) { return {2 * e + lane / 16, lane % 16}; }
};

// v_wmma_f32_16x16x16_f16 and _bf16 of gfx12, wave32
struct WmmaGfx12 {
  static constexpr int kLanes = 32, kM = 16, kN = 16, kK = 16;
  static constexpr int kLeft = 8, kRight = 8, kSums = 8;
  static TILE_FN constexpr Position left(int lane, int e) { return {lane % 16, lane / 16 * 8 + e}; }
  static TILE_FN constexpr Position right(int lane, int e) {
    return {lane / 16 * 8 + e, lane % 16};
  }
  static TILE_FN constexpr Position sum(int lane, int e) { return {lane / 16 * 8 + e, lane % 16}; }
};

// wgmma.m64nNk16: four warps, 16 rows each; a right operand lies in scratchpad. Sums of any number
// of columns, here 16.
struct WgmmaM64K16 {
  static constexpr int kLanes = 128, kM = 64, kN = 16, kK = 16;
  static constexpr int kLeft = 8, kSums = 8;
  static TILE_FN constexpr Position left(int lane, int e) {
    const Position p = MmaM16N8K16::left(lane % 32, e);
    return {lane / 32 * 16 + p.row, p.column};
  }
  static TILE_FN constexpr Position sum(int lane, int e) {
    const Position p = MmaM16N8K16::sum(lane % 32, e % 4);
    return {lane / 32 * 16 + p.row, p.column + e / 4 * 8};
  }
};

}  // namespace tile
