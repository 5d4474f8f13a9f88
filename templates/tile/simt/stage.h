// Brings chunks of a view's rows into scratchpad, all threads of a block together.
//
// A stage is made for one layout. It copies asynchronously (copy; direct where kDirect), or through
// registers: at once, few at a time (move), or in two steps (fetch, later put), between which a
// thread holds what it has fetched. What a window shows beyond the view is zeros. 16 bytes move at
// a time where the view's rows are aligned to them (`aligned`, the same for all threads), else
// single elements.

#pragma once

#include "tile/simt/memory.h"
#include "tile/simt/shared.h"

namespace tile {

// Where a chunk lies in a view: its first row and column, a multiple of 16 bytes, and how many of
// its rows and columns the view has; not positive where it has none.
struct Window {
  i64 row, column;
  int rows, columns;
};

namespace detail {
// Elements of one row of a window, 16 bytes of them: the first `count`, the others 0.
template <class View>
TILE_FN Words<4> load_chunk(const Target& t, const View& view, const Window& w, int row, int column,
                            int count, bool aligned) {
  if (count <= 0) return {};
  return load_words<4>(t, view.at(view.row(w.row + row), w.column + column), count, aligned);
}
}  // namespace detail

// The block's threads `First` to First + Threads - 1 take part.
template <class T, class Layout, int Threads, int First = 0>
struct Stage;

template <class T, int R, int C, Swizzle Sw, int Panel, int Threads, int First>
struct Stage<T, SharedTile<T, R, C, Sw, Panel>, Threads, First> {
  using Layout = SharedTile<T, R, C, Sw, Panel>;
  static constexpr int kPerRow = C / Layout::kChunk, kChunks = R * kPerRow;
  static constexpr int kRounds = (kChunks + Threads - 1) / Threads;
  static constexpr bool kDirect = true;
  static constexpr int kMostUnrolled = 16;  // rounds of copies
  Words<4> held[kRounds];

  // f(round, row, column) for every chunk that is this thread's.
  template <class F>
  static TILE_FN void each(const Target& t, F f) {
    TILE_UNROLL
    for (int round = 0; round < kRounds; ++round) {
      const int i = round * Threads + t.thread() - First;
      if (kChunks % Threads == 0 || i < kChunks)
        f(round, i / kPerRow, i % kPerRow * Layout::kChunk);
    }
  }
  // Elements of a chunk that there are.
  static TILE_FN int count(const Window& w, int row, int column) {
    return row < w.rows ? imax(0, imin(Layout::kChunk, w.columns - column)) : 0;
  }

  template <class View>
  static TILE_FN void copy(const Target& t, u32 at, const View& view, const Window& w,
                           bool aligned) {
    auto copy_chunk = [&](int, int row, int column) {
      const int n = count(w, row, column);
      t.copy_async(at + Layout::offset(row, column),
                   view.at(view.row(w.row + (n > 0 ? row : 0)), w.column + (n > 0 ? column : 0)),
                   n * (int)sizeof(T));
    };
    if (aligned) {
      if constexpr (First == 0 && kRounds <= kMostUnrolled) {
        each(t, copy_chunk);
      } else {
        // Threads that only copy have few registers, and none has one for the address of every
        // chunk: compilers would keep them beside the sums.
        TILE_ROLL
        for (int i = t.thread() - First; i < kChunks; i += Threads)
          copy_chunk(0, i / kPerRow, i % kPerRow * Layout::kChunk);
      }
    } else {
      move(t, at, view, w, false);
    }
  }

  template <class View>
  static TILE_FN void move(const Target& t, u32 at, const View& view, const Window& w,
                           bool aligned) {
    TILE_ROLL
    for (int i = t.thread() - First; i < kChunks; i += Threads) {
      const int row = i / kPerRow, column = i % kPerRow * Layout::kChunk;
      t.sts(at + Layout::offset(row, column),
            detail::load_chunk(t, view, w, row, column, count(w, row, column), aligned));
    }
  }

  // Neighbouring lanes write side by side: it is the way through the view that swizzles. Words of
  // which the view has not all are put there by their thread.
  template <class View>
  static TILE_FN void direct(const Target& t, u32 at, const View& view, const Window& w,
                             bool aligned) {
    if (!aligned) return move(t, at, view, w, false);
    constexpr int kWord = 4 / (int)sizeof(T), kWords = (int)Layout::kBytes / 4;
    static_assert(kWords % Target::kLanes == 0, "warps take part as a whole");
    TILE_ROLL
    for (int i = t.thread() - First; i < kWords; i += Threads) {
      const typename Layout::Element e = Layout::element(4 * (u32)i);
      const int n = e.row < w.rows ? imax(0, imin(kWord, w.columns - e.column)) : 0;
      const bool whole = n == kWord && e.column < C;
      const T* const from =
          view.at(view.row(w.row + (n > 0 ? e.row : 0)), w.column + (n > 0 ? e.column : 0));
      t.copy_direct(at + 4 * (u32)i, from, whole);
      if (!whole && e.column < C) t.sts(at + 4 * (u32)i, load_words<1>(t, from, n, false).x[0]);
    }
  }

  template <class View>
  TILE_FN void fetch(const Target& t, const View& view, const Window& w, bool aligned) {
    each(t, [&](int round, int row, int column) {
      held[round] = detail::load_chunk(t, view, w, row, column, count(w, row, column), aligned);
    });
  }
  TILE_FN void put(const Target& t, u32 at) const {
    each(t, [&](int round, int row, int column) {
      t.sts(at + Layout::offset(row, column), held[round]);
    });
  }
};

// A thread fetches the same chunk of both rows of a pair and puts them interleaved.
template <class T, int R, int C, int Apart, Swizzle Sw, int Threads>
struct Stage<T, SharedPairs<T, R, C, Apart, Sw>, Threads> {
  using Layout = SharedPairs<T, R, C, Apart, Sw>;
  static constexpr int kChunk = kChunkBytes / (int)sizeof(T);
  static constexpr int kPerRow = C / kChunk, kChunks = R / 2 * kPerRow;
  static constexpr int kRounds = (kChunks + Threads - 1) / Threads;
  static constexpr bool kDirect = false;
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
  static TILE_FN void move(const Target& t, u32 at, const View& view, const Window& w,
                           bool aligned) {
    TILE_ROLL
    for (int i = t.thread(); i < kChunks; i += Threads) {
      Words<4> rows[2];
      load(t, rows, view, w, i / kPerRow, i % kPerRow * kChunk, aligned);
      store(t, at, rows, i / kPerRow, i % kPerRow * kChunk);
    }
  }
  template <class View>
  TILE_FN void fetch(const Target& t, const View& view, const Window& w, bool aligned) {
    each(t, [&](int round, int pair, int column) {
      load(t, held[round], view, w, pair, column, aligned);
    });
  }
  TILE_FN void put(const Target& t, u32 at) const {
    each(t, [&](int round, int pair, int column) { store(t, at, held[round], pair, column); });
  }

 private:
  template <class View>
  static TILE_FN void load(const Target& t, Words<4> (&rows)[2], const View& view, const Window& w,
                           int pair, int column, bool aligned) {
    TILE_UNROLL
    for (int half = 0; half < 2; ++half) {
      const int row = 2 * pair + half;
      const int n = row < w.rows ? imin(kChunk, w.columns - column) : 0;
      rows[half] = detail::load_chunk(t, view, w, row, column, n, aligned);
    }
  }
  static TILE_FN void store(const Target& t, u32 at, const Words<4> (&rows)[2], int pair,
                            int column) {
    Words<4> w[2];
    TILE_UNROLL
    for (int i = 0; i < 4; ++i) {
      const u32 a = rows[0].x[i], b = rows[1].x[i];
      w[i / 2].x[i % 2 * 2] = (a & 0xffffu) | b << 16;
      w[i / 2].x[i % 2 * 2 + 1] = a >> 16 | (b & 0xffff0000u);
    }
    t.sts(at + Layout::offset(pair, column), w[0]);
    t.sts(at + Layout::offset(pair, column + 4), w[1]);
  }
};

}  // namespace tile
