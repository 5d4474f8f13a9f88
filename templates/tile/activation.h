// Element functions that end a layer: f(x) of the finished sums, gelu in its exact form.

#pragma once

#include "tile/core.h"

namespace tile {

enum class Activation { none, relu, gelu, silu };

template <Activation kActivation, class X>
TILE_FN X activate(X x) {
  if constexpr (kActivation == Activation::relu) {
    return xmax(x, 0.f);
  } else if constexpr (kActivation == Activation::gelu) {
    return xgelu(x);
  } else if constexpr (kActivation == Activation::silu) {
    return xsilu(x);
  } else {
    return x;
  }
}

}  // namespace tile
