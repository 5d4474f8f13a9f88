// Schedule members of a config: how a lowering arranges the work, never what is computed.
// Kernels do not read them.

#pragma once

namespace tile {

// Which dimension of a tile lies in the lanes of a vector (wide lowering): rows suit tiles of many
// rows, columns suit few.
enum class Lanes { rows, columns };

// Whether right operands are used where they lie, as far as their type and strides allow, or copied
// next to each other first (wide lowering).
enum class Operands { in_place, staged };

}  // namespace tile
