// Layouts of matrix fragments, as the lowering and the emulator know them, against the vendors'
// tables (fragments.txt); and bank conflicts of every scratchpad layout.

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "runtime/emulator/matrix.h"
#include "runtime/emulator/warpgroup.h"
#include "tile/simt/atom.h"
#include "tile/simt/banks.h"
#include "tile/simt/fragment.h"
#include "tile/simt/shared.h"

namespace kiln::test {
namespace {

using runtime::emulator::MatrixOperands;
using runtime::emulator::MatrixShape;
using tile::Position;

// By lane and element.
using Table = std::map<std::pair<int, int>, Position>;

// "mma_m16n8k16 A" and so on, as the file has them.
std::map<std::string, Table> read_tables() {
  std::ifstream file(std::string(KILN_SOURCE_DIRECTORY) + "/tests/templates/fragments.txt");
  REQUIRE(file.good());
  std::map<std::string, Table> tables;
  std::string line;
  while (std::getline(file, line)) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream head(line);
    std::string instruction, operand;
    int rows = 0, columns = 0;
    head >> instruction >> operand >> rows >> columns;
    Table& table = tables[instruction + " " + operand];
    for (int row = 0; row < rows; ++row) {
      REQUIRE(std::getline(file, line));
      std::istringstream cells(line);
      for (int column = 0; column < columns; ++column) {
        std::string cell;
        REQUIRE(cells >> cell);
        std::istringstream holders(cell);
        int lane = 0, element = 0;
        char dot = 0, comma = 0;
        do {
          REQUIRE(holders >> lane >> dot >> element);
          table[{lane, element}] = {row, column};
        } while (holders >> comma);
      }
    }
  }
  return tables;
}

template <class F>
void compare(const Table& table, int lanes, int elements, F place) {
  CHECK(table.size() == size_t(lanes) * size_t(elements));
  for (const auto& [holder, documented] : table) {
    const auto [lane, element] = holder;
    const Position p = place(lane, element);
    CAPTURE(lane, element);
    CHECK(p.row == documented.row);
    CHECK(p.column == documented.column);
  }
}

template <class I>
void compare_lowering(const std::string& name) {
  INFO(name);
  const auto tables = read_tables();
  compare(tables.at(name + " A"), I::kLanes, I::kLeft, I::left);
  compare(tables.at(name + " B"), I::kLanes, I::kRight, I::right);
  compare(tables.at(name + " C"), I::kLanes, I::kSums, I::sum);
}

TEST_CASE("The lowering's fragments are those that the vendors document") {
  compare_lowering<tile::MmaM16N8K16>("mma_m16n8k16");
  compare_lowering<tile::Mfma16x16x16>("mfma_16x16x16");
  compare_lowering<tile::WmmaGfx11>("wmma_gfx11");
  compare_lowering<tile::WmmaGfx12>("wmma_gfx12");
}

TEST_CASE("The lowering's fragments of warpgroups are those that the vendor documents") {
  using I = tile::WgmmaM64K16;
  const auto tables = read_tables();
  compare(tables.at("wgmma_m64k16 A"), I::kLanes, I::kLeft, I::left);
  compare(tables.at("wgmma_m64k16 C"), I::kLanes, I::kSums, I::sum);
  // The atom takes a warp's part for that of mma.m16n8k16.
  using A = tile::Atom<tile::Fragment::wgmma_m64k16, 32>;
  for (int thread = 0; thread < I::kLanes; ++thread) {
    for (int e = 0; e < A::kSums; ++e) {
      CHECK(I::sum(thread, e).row == thread / 32 * 16 + A::row(thread % 32, A::slot(e)));
      CHECK(I::sum(thread, e).column == A::column(thread % 32, e));
    }
    for (int r = 0; r < A::kLeft; ++r) {
      CHECK(I::left(thread, 2 * r).row == thread / 32 * 16 + A::left_row(thread % 32, r));
      CHECK(I::left(thread, 2 * r).column == A::left_depth(thread % 32, r));
    }
  }
}

TEST_CASE("The emulator places fragments of warpgroups as the vendor documents them") {
  const auto tables = read_tables();
  for (const char* operand : {"A", "C"}) {
    for (const auto& [holder, documented] : tables.at(std::string("wgmma_m64k16 ") + operand)) {
      const auto place = runtime::emulator::product_place(holder.first, holder.second);
      CHECK(place.row == documented.row);
      CHECK(place.column == documented.column);
    }
  }
}

// D = A B + C of small whole numbers, every operand spread over lanes by the documented table.
void compare_emulator(KilnEmulatorInstruction instruction, const std::string& name) {
  INFO(name);
  const auto tables = read_tables();
  const MatrixShape s = runtime::emulator::shape_of(instruction);
  const auto a = [](Position p) { return float((3 * p.row + 5 * p.column) % 7 - 3); };
  const auto b = [](Position p) { return float((2 * p.row + 7 * p.column) % 5 - 2); };
  const auto c = [](Position p) { return float(p.row - 2 * p.column); };
  struct Lane {
    std::vector<float> sums;
    std::vector<uint32_t> left, right;
  };
  std::vector<Lane> lanes(size_t(s.lanes), {std::vector<float>(size_t(s.sums)),
                                            std::vector<uint32_t>(size_t(s.left) / 2),
                                            std::vector<uint32_t>(size_t(s.right) / 2)});
  const auto put = [](std::vector<uint32_t>& registers, int e, float x) {
    const uint32_t bits = runtime::emulator::narrow(kKilnEmulatorBf16, x);
    registers[size_t(e) / 2] |= bits << (e % 2 * 16);
  };
  for (const auto& [holder, p] : tables.at(name + " A"))
    put(lanes[size_t(holder.first)].left, holder.second, a(p));
  for (const auto& [holder, p] : tables.at(name + " B"))
    put(lanes[size_t(holder.first)].right, holder.second, b(p));
  for (const auto& [holder, p] : tables.at(name + " C"))
    lanes[size_t(holder.first)].sums[size_t(holder.second)] = c(p);
  std::vector<MatrixOperands> operands;
  for (Lane& lane : lanes)
    operands.push_back({lane.sums.data(), lane.left.data(), lane.right.data()});
  runtime::emulator::multiply(instruction, kKilnEmulatorBf16, operands);
  for (const auto& [holder, p] : tables.at(name + " C")) {
    float expected = c(p);
    for (int k = 0; k < s.k; ++k)
      expected += a({p.row, k}) * b({k, p.column});
    CAPTURE(p.row, p.column);
    CHECK(lanes[size_t(holder.first)].sums[size_t(holder.second)] == expected);
  }
}

TEST_CASE("The emulator multiplies fragments as the vendors document them") {
  compare_emulator(kKilnEmulatorMmaM16N8K16, "mma_m16n8k16");
  compare_emulator(kKilnEmulatorMfma16x16x16, "mfma_16x16x16");
  compare_emulator(kKilnEmulatorWmmaGfx11, "wmma_gfx11");
  compare_emulator(kKilnEmulatorWmmaGfx12, "wmma_gfx12");
}

// ---- operands in scratchpad

// By bytes of a panel's row: the chunks of eight rows in the order in which they lie.
std::map<int, std::vector<std::vector<int>>> read_swizzles() {
  std::ifstream file(std::string(KILN_SOURCE_DIRECTORY) + "/tests/templates/swizzles.txt");
  REQUIRE(file.good());
  std::map<int, std::vector<std::vector<int>>> swizzles;
  std::string line;
  int panel = 0;
  while (std::getline(file, line)) {
    if (line.empty() || line[0] == '#') continue;
    if (line.starts_with("swizzle_")) {
      panel = std::stoi(line.substr(std::string("swizzle_").size()));
      continue;
    }
    std::istringstream cells(line);
    std::vector<int>& row = swizzles[panel].emplace_back();
    for (int chunk = 0; cells >> chunk;)
      row.push_back(chunk);
  }
  return swizzles;
}

// A tile of `Columns` columns against the documented order, and a descriptor of it as the emulator
// takes it apart against the tile.
template <int Rows, int Columns>
void check_operand(const std::map<int, std::vector<std::vector<int>>>& swizzles) {
  CAPTURE(Rows, Columns);
  using A = tile::Atom<tile::Fragment::wgmma_m64k16, 32>;
  using Tile = A::Panels<tile::bf16, Rows, Columns>;
  const auto& order = swizzles.at(Tile::kPanel);
  REQUIRE(order.size() == 8);
  for (int row = 0; row < Rows; ++row) {
    for (int column = 0; column < Columns; ++column) {
      const auto& chunks = order[size_t(row % 8)];
      const int per_panel = Tile::kPanel / 2, chunk = column % per_panel / 8;
      const auto place = std::find(chunks.begin(), chunks.end(), chunk) - chunks.begin();
      const int expected = column / per_panel * Rows * Tile::kPanel + row * Tile::kPanel +
                           int(place) * 16 + column % 8 * 2;
      CHECK(int(Tile::offset(row, column)) == expected);
    }
  }
  constexpr uint32_t kAt = 4096;
  const auto described = [&](int row, int column) {
    return runtime::emulator::Descriptor(tile::matrix_descriptor<Tile>() |
                                         (kAt + Tile::offset(row, column)) >> 4);
  };
  for (int k = 0; k < 16; ++k) {
    for (int from = 0; from < Columns; from += 16) {  // k along the rows
      for (int i = 0; i < Rows; ++i)
        CHECK(byte_along(described(0, from), i, k) == kAt + Tile::offset(i, from + k));
    }
    for (int from = 0; from < Rows; from += 16) {  // and down them
      for (int i = 0; i < Columns; ++i)
        CHECK(byte_down(described(from, 0), i, k) == kAt + Tile::offset(from + k, i));
    }
  }
}

TEST_CASE("Operands in scratchpad lie as swizzling modes and descriptors say") {
  const auto swizzles = read_swizzles();
  check_operand<64, 128>(swizzles);
  check_operand<32, 96>(swizzles);
  check_operand<16, 48>(swizzles);
  // Fields where the vendor has them: swizzle 128 bytes = 1, strides and start in units of 16
  // bytes.
  using A = tile::Atom<tile::Fragment::wgmma_m64k16, 32>;
  CHECK(tile::matrix_descriptor<A::Panels<tile::bf16, 64, 128>>() ==
        (uint64_t{1} << 62 | uint64_t{1024 / 16} << 32 | uint64_t{64 * 128 / 16} << 16));
  CHECK(tile::matrix_descriptor<A::Panels<tile::bf16, 32, 96>>() ==
        (uint64_t{2} << 62 | uint64_t{512 / 16} << 32 | uint64_t{32 * 64 / 16} << 16));
  CHECK(tile::matrix_descriptor<A::Panels<tile::bf16, 16, 48>>() ==
        (uint64_t{3} << 62 | uint64_t{256 / 16} << 32 | uint64_t{16 * 32 / 16} << 16));
}

// ---- banks

using tile::SharedPairs;
using tile::SharedTile;
using tile::Swizzle;
using tile::banks::Access;
using tile::banks::Machine;

// Cycles beyond the best of an access, `address(lane)` in bytes.
template <class F>
int conflicts(Machine machine, Access access, int bytes, int lanes, F address) {
  int at[64];
  for (int l = 0; l < lanes; ++l)
    at[l] = int(address(l));
  return tile::banks::cycles(machine, access, bytes, at, lanes) -
         tile::banks::best_cycles(machine, access, bytes, lanes);
}

template <Swizzle S>
using Tile16 = SharedTile<tile::bf16, 64, 64, S>;

template <Swizzle S>
int ldmatrix_conflicts() {
  return conflicts(Machine::nvidia, Access::load_matrices, 16, 32,
                   [](int l) { return Tile16<S>::offset(l / 16 * 8 + l % 8, l / 8 % 2 * 8); });
}
template <Swizzle S>
int staging_conflicts(Machine machine, int lanes) {
  return conflicts(machine, Access::store, 16, lanes,
                   [](int l) { return Tile16<S>::offset(l / 8, l % 8 * 8); });
}
// A row's fragment: lane's row l % 16, group l / 16 along k.
template <Swizzle S, class I>
int row_conflicts(Machine machine, int bytes) {
  return conflicts(machine, Access::load, bytes, I::kLanes, [](int l) {
    return Tile16<S>::offset(I::left(l, 0).row, I::left(l, 0).column);
  });
}
template <Swizzle S, class I>
int pair_conflicts(Machine machine) {
  constexpr int kApart = (I::right(16, 0).row - I::right(0, 0).row) / 2;
  using Pairs = SharedPairs<tile::bf16, 64, 64, kApart, S>;
  return conflicts(machine, Access::load, 4, I::kLanes, [](int l) {
    return Pairs::offset(I::left(l, 0).column / 2, I::left(l, 0).row);
  });
}

TEST_CASE("Phases and words decide what an access costs") {
  const auto cost = [](auto address) {
    return 1 + conflicts(Machine::nvidia, Access::load, 4, 32, address);
  };
  CHECK(cost([](int l) { return 4 * l; }) == 1);
  CHECK(cost([](int) { return 64; }) == 1);  // a broadcast
  CHECK(cost([](int l) { return 8 * l; }) == 2);
  CHECK(cost([](int l) { return 128 * l; }) == 32);
}

TEST_CASE("Swizzled tiles have no bank conflicts where they were made for it") {
  CHECK(ldmatrix_conflicts<Swizzle::exclusive>() == 0);
  CHECK(ldmatrix_conflicts<Swizzle::folded>() == 0);
  CHECK(ldmatrix_conflicts<Swizzle::none>() == 28);  // eight rows in the same banks
  CHECK(staging_conflicts<Swizzle::exclusive>(Machine::nvidia, 32) == 0);
  CHECK(staging_conflicts<Swizzle::exclusive>(Machine::cdna3, 64) == 0);
  CHECK(staging_conflicts<Swizzle::exclusive>(Machine::rdna, 32) == 0);
  CHECK(row_conflicts<Swizzle::exclusive, tile::WmmaGfx12>(Machine::rdna, 16) <
        row_conflicts<Swizzle::none, tile::WmmaGfx12>(Machine::rdna, 16));
  CHECK(row_conflicts<Swizzle::exclusive, tile::Mfma16x16x16>(Machine::cdna3, 8) <
        row_conflicts<Swizzle::none, tile::Mfma16x16x16>(Machine::cdna3, 8));
  CHECK(pair_conflicts<Swizzle::exclusive, tile::Mfma16x16x16>(Machine::cdna3) == 0);
  CHECK(pair_conflicts<Swizzle::none, tile::Mfma16x16x16>(Machine::cdna3) == 2);
  CHECK(pair_conflicts<Swizzle::exclusive, tile::WmmaGfx12>(Machine::rdna) == 0);
  CHECK(pair_conflicts<Swizzle::none, tile::WmmaGfx12>(Machine::rdna) == 1);
}

TEST_CASE("Multiply-adds read folded tiles without conflicts") {
  const auto read = [](auto tile_type) {
    using Tile = decltype(tile_type);
    int total = 0;
    for (int e = 0; e < 8; ++e) {
      total += conflicts(Machine::nvidia, Access::load, 16, 32,
                         [&](int l) { return Tile::offset(l / 16 * 8 + e, 0); });
    }
    return total;
  };
  CHECK(read(SharedTile<float, 64, 64, Swizzle::folded>{}) == 0);
}

TEST_CASE("Layouts give every element a place of its own") {
  const auto check = [](auto tile_type) {
    using Tile = decltype(tile_type);
    std::vector<bool> taken(Tile::kBytes);
    for (int r = 0; r < Tile::kRows; ++r) {
      for (int c = 0; c < Tile::kColumns; ++c) {
        const uint32_t at = Tile::offset(r, c);
        REQUIRE(at < Tile::kBytes);
        CHECK_FALSE(taken[at]);
        taken[at] = true;
        CHECK(Tile::element(at).row == r);
        CHECK(Tile::element(at).column == c);
      }
    }
  };
  check(SharedTile<tile::bf16, 32, 96, Swizzle::exclusive>{});
  check(SharedTile<tile::bf16, 48, 64, Swizzle::folded>{});
  check(SharedTile<float, 32, 48, Swizzle::folded>{});
  check(SharedTile<float, 16, 32, Swizzle::none>{});
  check(SharedTile<tile::bf16, 16, 96, Swizzle::exclusive, 64>{});
  check(SharedTile<tile::f16, 32, 48, Swizzle::exclusive, 32>{});
}

}  // namespace
}  // namespace kiln::test
