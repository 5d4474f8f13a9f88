// Schedule members of a config: how a lowering arranges the work, never what is computed.
// Kernels do not read them.

#pragma once

namespace tile {

// ---- wide lowering

// Which dimension of a tile lies in the lanes of a vector: rows suit tiles of many rows, columns
// suit few.
enum class Lanes { rows, columns };

// Whether right operands are used where they lie, as far as their type and strides allow, or copied
// next to each other first. With columns in lanes, staged operands are packed into
// panels, which suits products of many rows.
enum class Operands { in_place, staged };

// ---- simt lowering
//
//     Fragment fragment   the matrix instruction that products use
//     int warps           warps of a block; each owns block_m / warps rows
//     int stages          slots of scratchpad that chunks of operands pass through
//     Swizzle swizzle     how their rows lie in scratchpad
//     Roles roles         who copies chunks and who multiplies; may be absent: all alike
//     Staging staging     key loop: how they get there
//     LeftOperand left_operand   key loop: where the loaded left operand waits
//     int chiplets        among which runs of neighbouring blocks are shared out
//                         (tile/simt/chiplets.h); may be absent: as hardware deals them
//     int column_warps    contractions: warps that share the rows of a tile, each of which owns
//                         block_n / column_warps columns; block_m is shared by the others
//
// with the constraints in tile/simt/footprint.h.

// Matrix instructions by shape; tile/simt/fragment.h says which lane holds what.
enum class Fragment {
  fma_16x16x16,   // plain multiply-adds: any machine, f32
  mma_m16n8k16,   // mma.sync: warps of 32
  mfma_16x16x16,  // CDNA: waves of 64
  wmma_gfx11,     // RDNA 3: waves of 32, operands held twice
  wmma_gfx12,     // RDNA 4: waves of 32
  wgmma_m64k16,   // Hopper: groups of four warps, right operands straight from scratchpad
};

// How chunks that are not copied asynchronously reach scratchpad.
enum class Staging {
  ahead,    // through registers: fetched while the one before is used, and held until then
  in_turn,  // through registers, when their slot is free: leaves registers to the products
  direct,   // past registers where they lie as in memory, 4 bytes a lane (CDNA); what is to be
            // interleaved goes ahead, with one slot in turn
};

// Where a left operand that a kernel has loaded waits for the products that take it: scratchpad
// leaves registers to the sums, and is read again for every product.
enum class LeftOperand { registers, scratchpad };

// Where the 16-byte chunk c of row r (in a panel of 8 chunks) lies.
enum class Swizzle {
  none,       // at c
  exclusive,  // at c xor r mod 8: what ldmatrix, wgmma and bulk tensor copies share
  folded,     // at c xor (r xor r / 8) mod 8: rows 8 apart differ, too
};

// What the warps of a block do.
enum class Roles {
  alike,      // all copy and all multiply
  producer,   // a warpgroup more copies; the others multiply, one chunk's scores beside the values
              // of the chunk before
  ping_pong,  // the same, and two that multiply take turns at it: one softens scores beside the
              // other's products
};

// Who brings chunks for a producer. The lowering goes by whether views have tensor maps.
enum class Copies {
  threads,  // its threads, 16 bytes or an element at a time
  bulk,     // bulk copies of boxes, for which one thread asks, where tensors' strides allow;
            // otherwise as before
};

template <class Config>
constexpr Roles roles_of() {
  if constexpr (requires { Config::roles; }) {
    return Config::roles;
  } else {
    return Roles::alike;
  }
}

}  // namespace tile
