// Activations as element functions; gelu in its exact form.

#pragma once

#include "tile/activation.h"
#include "tile/core.h"

namespace tile {

template <Activation kActivation, class X>
TILE_FN X activate(X x) {
  if constexpr (kActivation == Activation::kRelu) {
    return xmax(x, 0.f);
  } else if constexpr (kActivation == Activation::kGelu) {
    return xgelu(x);
  } else if constexpr (kActivation == Activation::kSilu) {
    return xsilu(x);
  } else {
    return x;
  }
}

}  // namespace tile
