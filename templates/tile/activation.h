// What may end a layer. Plain C++, for families and kernels; it includes nothing.

#pragma once

namespace tile {

enum class Activation { kNone, kRelu, kGelu, kSilu };

}  // namespace tile
