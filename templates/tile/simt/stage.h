// Brings chunks of a view's rows into scratchpad, all threads of a block together.
//
// A stage is made for one layout. It copies asynchronously (copy), or through registers (fetch,
// later put): what a thread has fetched it holds until it puts it. Rows outside the view and
// columns past its Columns are zeros. 16 bytes move at a time where the view's rows are aligned to
// them (`aligned`, the same for all threads), else single elements.

#pragma once

#include "tile/simt/memory.h"
#include "tile/simt/shared.h"

namespace tile {

template <class T, class Layout, int Columns, int Threads>
struct Stage;

template <class T, int R, int C, Swizzle Sw, int Columns, int Threads>
struct Stage<T, SharedTile<T, R, C, Sw>, Columns, Threads> {
  using Layout = SharedTile<T, R, C, Sw>;
  static constexpr int kPerRow = C / Layout::kChunk, kChunks = R * kPerRow;
  static constexpr int kRounds = (kChunks + Threads - 1) / Threads;
  Words<4> held[kRounds];

  // f(round, row, column) for every chunk that is this thread's.
  template <class F>
  static TILE_FN void each(const Target& t, F f) {
    TILE_UNROLL
    for (int round = 0; round < kRounds; ++round) {
      const int i = round * Threads + t.thread();
      if (kChunks % Threads == 0 || i < kChunks)
        f(round, i / kPerRow, i % kPerRow * Layout::kChunk);
    }
  }
  // Elements of a chunk that there are.
  template <class View>
  static TILE_FN int count(const View& view, i64 row, int column) {
    return row < view.rows ? imin(Layout::kChunk, Columns - column) : 0;
  }

  template <class View>
  static TILE_FN void copy(const Target& t, u32 at, const View& view, i64 first, bool aligned) {
    if (aligned && Columns % Layout::kChunk == 0) {
      each(t, [&](int, int row, int column) {
        const bool present = count(view, first + row, column) > 0;
        t.copy_async(at + Layout::offset(row, column),
                     view.row(present ? first + row : 0) + (present ? column : 0), present);
      });
    } else {
      TILE_ROLL
      for (int i = t.thread(); i < kChunks; i += Threads) {
        const int row = i / kPerRow, column = i % kPerRow * Layout::kChunk;
        const int n = count(view, first + row, column);
        t.sts(at + Layout::offset(row, column),
              n > 0 ? load_words<4>(t, view.row(first + row) + column, n, false) : Words<4>{});
      }
    }
  }

  template <class View>
  TILE_FN void fetch(const Target& t, const View& view, i64 first, bool aligned) {
    each(t, [&](int round, int row, int column) {
      const int n = count(view, first + row, column);
      held[round] =
          n > 0 ? load_words<4>(t, view.row(first + row) + column, n, aligned) : Words<4>{};
    });
  }
  TILE_FN void put(const Target& t, u32 at) const {
    each(t, [&](int round, int row, int column) {
      t.sts(at + Layout::offset(row, column), held[round]);
    });
  }
};

// A thread fetches the same chunk of both rows of a pair and puts them interleaved.
template <class T, int R, int C, int Apart, Swizzle Sw, int Columns, int Threads>
struct Stage<T, SharedPairs<T, R, C, Apart, Sw>, Columns, Threads> {
  using Layout = SharedPairs<T, R, C, Apart, Sw>;
  static constexpr int kChunk = kChunkBytes / (int)sizeof(T);
  static constexpr int kPerRow = C / kChunk, kChunks = R / 2 * kPerRow;
  static constexpr int kRounds = (kChunks + Threads - 1) / Threads;
  Words<4> held[kRounds][2];

  template <class F>
  static TILE_FN void each(const Target& t, F f) {
    TILE_UNROLL
    for (int round = 0; round < kRounds; ++round) {
      const int i = round * Threads + t.thread();
      if (kChunks % Threads == 0 || i < kChunks) f(round, i / kPerRow, i % kPerRow * kChunk);
    }
  }

  template <class View>
  TILE_FN void fetch(const Target& t, const View& view, i64 first, bool aligned) {
    each(t, [&](int round, int pair, int column) {
      TILE_UNROLL
      for (int half = 0; half < 2; ++half) {
        const i64 row = first + 2 * pair + half;
        const int n = row < view.rows ? imin(kChunk, Columns - column) : 0;
        held[round][half] =
            n > 0 ? load_words<4>(t, view.row(row) + column, n, aligned) : Words<4>{};
      }
    });
  }
  TILE_FN void put(const Target& t, u32 at) const {
    each(t, [&](int round, int pair, int column) {
      Words<4> w[2];
      TILE_UNROLL
      for (int i = 0; i < 4; ++i) {
        const u32 a = held[round][0].x[i], b = held[round][1].x[i];
        w[i / 2].x[i % 2 * 2] = (a & 0xffffu) | b << 16;
        w[i / 2].x[i % 2 * 2 + 1] = a >> 16 | (b & 0xffff0000u);
      }
      t.sts(at + Layout::offset(pair, column), w[0]);
      t.sts(at + Layout::offset(pair, column + 4), w[1]);
    });
  }
};

}  // namespace tile
