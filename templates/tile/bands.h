// The order in which the blocks of a grid are walked.
//
// Blocks that run at the same time share operands if they lie close together in both directions. A
// band is so many neighbours along the second axis; it is walked across, step by step along the
// first axis, before the next band begins:
//
//     grid of 3 x 5, bands of 2          first
//                                     0   2   4
//                            second   1   3   5
//                                     6   8  10
//                                     7   9  11
//                                    12  13  14
//
// Source: P. Tillet, H. T. Kung, D. Cox, "Triton: an intermediate language and compiler for tiled
// neural network computations", and its tutorial on matrix products ("L2 cache optimizations").

#pragma once

#include "tile/core.h"

namespace tile {

struct GridPlace {
  i64 first, second;
};

// Of the block of that number in a grid of `firsts` times `seconds`. Every number has one place.
TILE_FN constexpr GridPlace place_in_bands(i64 number, i64 firsts, i64 seconds, i64 band) {
  const i64 begin = number / (firsts * band) * band, within = number - begin * firsts;
  const i64 width = seconds - begin < band ? seconds - begin : band;
  return {within / width, begin + within % width};
}

}  // namespace tile
