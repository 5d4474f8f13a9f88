// What the blocks of the simt lowering share whatever they work on: the target, the block's place
// in the grid, and views.

#pragma once

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
  Target t_;
};

}  // namespace tile
