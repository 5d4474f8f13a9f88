// The block that the copying warpgroup runs a kernel with: it has no tiles, and of all operations
// only the key loop does anything.

#pragma once

#include "tile/simt/tiles_block.h"

namespace tile {

template <class ConfigType>
class ProducerBlock : public GridBlock {
 public:
  using Config = ConfigType;
  struct Nothing {};
  template <class T, int BM, int K>
  using Operand = Nothing;
  template <int BM, int N>
  using Accum = Nothing;
  template <int BM>
  using Row = Nothing;
  template <int BM>
  using IndexRow = Nothing;

  using GridBlock::GridBlock;

  template <int I>
  TILE_FN i64 id() const {
    return id_of_run<I, chiplets_of<Config>(), TilesBlock<Config>::kThreads>();
  }

  template <int BM, class... A>
  TILE_FN Nothing row(const A&...) const {
    return {};
  }
  template <int BM, class... A>
  TILE_FN Nothing index_rows(const A&...) const {
    return {};
  }
  template <class... A>
  TILE_FN Nothing rows(const A&...) const {
    return {};
  }
  template <int BM, class... A>
  TILE_FN Nothing load_row(const A&...) const {
    return {};
  }
  template <class... A>
  TILE_FN void row_reduce(const A&...) const {}
  template <class... A>
  TILE_FN void store_row(const A&...) const {}
  template <class... A>
  TILE_FN void fill(const A&...) const {}
  template <class... A>
  TILE_FN void load(const A&...) const {}
  template <class... A>
  TILE_FN void add_rows(const A&...) const {}
  template <class... A>
  TILE_FN void store(const A&...) const {}
  template <class... A>
  TILE_FN void mma_abt(const A&...) const {}
  template <class... A>
  TILE_FN void mma_acc(const A&...) const {}
  template <class... A>
  TILE_FN void scale_rows(const A&...) const {}
  template <class T, class... A>
  TILE_FN Nothing to_operand(const A&...) const {
    return {};
  }
  template <class... A>
  TILE_FN void map(const A&...) const {}
  template <class... A>
  TILE_FN void row_max(const A&...) const {}
  template <class T, class... A>
  TILE_FN void map_rows(const A&...) const {}

  template <int BM, int BN, class T, int D, int DV, class KView, class VView, class Score,
            class Soften, class Turn, class Accumulate>
  TILE_FN void stream(i64 lo, i64 hi, Nothing, const KView& k, const VView& v, Score, Soften, Turn,
                      Accumulate, Where where = Where::here()) const {
    using Consumer = TilesBlock<Config>;
    using Ring = typename Consumer::template KeyRing<BM, BN, T, D, DV>;
    constexpr int kFirst = Consumer::kOwnThreads, kThreads = footprint::kProducerThreads;
    using KeyChunks = ViewChunks<T, typename Ring::Keys, Along::rows, kThreads, KView, kFirst>;
    using ValueChunks = ViewChunks<T, typename Ring::Values, Along::rows, kThreads, VView, kFirst>;
    const WhereScope scope(t_, where);
    const bool boxes = has_boxes(k) && has_boxes(v);
    Ring::begin(t_, Config::warps, boxes);
    if constexpr (requires { k.map, v.map; }) {
      if (boxes) {
        if (t_.thread() == kFirst) {
          produce_chunks<Ring>(t_, lo, hi, BN, BoxedChunks<typename Ring::Keys, KView>{k},
                               BoxedChunks<typename Ring::Values, VView>{v});
        }
        return;
      }
    }
    produce_chunks<Ring>(t_, lo, hi, BN, CopiedChunks<KeyChunks>{KeyChunks(k, k.rows, 0, D)},
                         CopiedChunks<ValueChunks>{ValueChunks(v, v.rows, 0, DV)});
  }
};

}  // namespace tile
