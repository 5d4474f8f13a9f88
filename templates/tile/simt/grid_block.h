// What the blocks of the simt lowering share whatever they work on: the target, the block's place
// in the grid, and views.

#pragma once

#include "tile/simt/chiplets.h"
#include "tile/simt/target.h"
#include "tile/view.h"

namespace tile {

class GridBlock {
 public:
  TILE_FN explicit GridBlock(const Target& target) : t_(target) {}

  template <int I>
  TILE_FN i64 id() const {
    return t_.block(I);
  }

  template <class T, class TensorArgument, class Rows>
  TILE_FN auto view(const TensorArgument& argument, const Rows& rows) const {
    return make_view<T>(argument, rows);
  }

 protected:
  // id() of blocks of `Threads` threads that are numbered anew (tile/simt/chiplets.h).
  template <int I, int Chiplets, int Threads>
  TILE_FN i64 id_of_run() const {
    if constexpr (Chiplets > 1) {
      const u64 width = (u64)t_.blocks(0, Threads), height = (u64)t_.blocks(1, 1);
      const u64 count = width * height * (u64)t_.blocks(2, 1);
      if (count >> 32 == 0) {
        const u32 x = (u32)width, y = (u32)height;
        const u32 number = (u32)t_.block(0) + x * ((u32)t_.block(1) + y * (u32)t_.block(2));
        const u32 place = place_in_runs(number, (u32)count, Chiplets);
        return I == 0 ? place % x : I == 1 ? place / x % y : place / x / y;
      }
    }
    return t_.block(I);
  }

  Target t_;
};

}  // namespace tile
