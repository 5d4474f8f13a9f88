// Which block of the simt lowering runs a kernel. Included by a target's entry header, after it has
// defined Target and Where (tile/simt/target.h).

#pragma once

#include "tile/simt/contraction_block.h"
#include "tile/simt/items_block.h"
#include "tile/simt/producer_block.h"
#include "tile/simt/tiles_block.h"

namespace tile {

template <class Work, class Config>
struct BlockOf;

template <class Config>
struct BlockOf<Items, Config> {
  using Type = ItemsBlock<Config>;
};

template <class Config>
struct BlockOf<Tiles, Config> {
  using Type = TilesBlock<Config>;
};
// Only contractions share out columns, too.
template <class Config>
  requires requires { Config::column_warps; }
struct BlockOf<Tiles, Config> {
  using Type = ContractionBlock<Config>;
};

// What an entry of an artifact needs, by kernel and config: every target's entry header uses these
// and no other formula.
template <class Kernel, class Config>
struct EntryOf {
  using Block = typename BlockOf<typename Kernel::Work, Config>::Type;
  static constexpr int kThreads = Block::kThreads;
  // Dynamic scratchpad, bytes.
  static constexpr u32 scratchpad() {
    u32 bytes = 0;
    if constexpr (requires { Kernel::template stack_bytes<Block>(); })
      bytes += (u32)Kernel::template stack_bytes<Block>();
    if constexpr (requires { Kernel::template scratch_bytes<Block>(); })
      bytes += (u32)Kernel::template scratch_bytes<Block>();
    return bytes;
  }
  static TILE_FN void run(const Target& target, const typename Kernel::Args& args) {
    if constexpr (requires { Block::kRoles; }) {
      if constexpr (Block::kRoles != Roles::alike) {
        constexpr bool kShares = footprint::shares_registers(Config::warps, Block::kRoles);
        if (target.warp() >= Config::warps) {
          if constexpr (kShares) target.template give_registers<footprint::kProducerRegisters>();
          ProducerBlock<Config> producer(target);
          Kernel::run(producer, args);
          return;
        }
        if constexpr (kShares) target.template take_registers<footprint::kConsumerRegisters>();
      }
    }
    Block block(target);
    Kernel::run(block, args);
  }
};

}  // namespace tile
