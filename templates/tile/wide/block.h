// Which block of the wide lowering runs a kernel.

#pragma once

#include "tile/wide/columns_block.h"
#include "tile/wide/panels_block.h"
#include "tile/wide/rows_block.h"
#if __has_include("tile/wide/lanes.h")
#include "tile/wide/lanes.h"
#endif

namespace tile {

template <class Config>
class ItemsBlock;  // lane items, in tile/wide/lanes.h

template <class Work, class Config>
struct BlockOf;

template <class Config>
struct BlockOf<Items, Config> {
  using Type = ItemsBlock<Config>;
};

namespace detail {
template <class Config, Lanes, Operands>
struct TilesBlock {
  using Type = RowsBlock<Config>;
};
template <class Config>
struct TilesBlock<Config, Lanes::columns, Operands::in_place> {
  using Type = ColumnsBlock<Config>;
};
template <class Config>
struct TilesBlock<Config, Lanes::columns, Operands::staged> {
  using Type = PanelsBlock<Config>;
};
}  // namespace detail

template <class Config>
struct BlockOf<Tiles, Config> {
  using Type = typename detail::TilesBlock<Config, Config::lanes, Config::operands>::Type;
};

}  // namespace tile
