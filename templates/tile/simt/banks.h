// Bank conflicts of one scratchpad access by a warp, worked out from the addresses of its lanes.
//
// Hardware serves a wide access in phases, a fixed set of lanes each; within a phase every bank
// gives one 4-byte word a cycle, to all lanes that ask for the same word. cycles() adds up the
// phases; best_cycles() is what they would take without conflicts.
//
// Where the phases are from: NVIDIA, CUDA C++ Programming Guide (32 banks; 8-byte accesses go by
// half warps, 16-byte ones by quarter warps; ldmatrix takes one phase a matrix). CDNA 3 (and 2):
// AMD's article "Avoiding LDS bank conflicts on AMD GPUs using CK-Tile", 32 banks, the phases of
// ds_read_b128. CDNA 4: HipKittens' measured tables, 64 banks for loads. Where a source is silent
// (RDNA, stores), phases are taken to be neighbouring lanes that fill all banks once.

#pragma once

namespace tile::banks {

enum class Machine { nvidia, cdna3, cdna4, rdna };
enum class Access { load, store, load_matrices };

constexpr int kMaxLanes = 64, kWord = 4;

// Lanes by phase; `phase[l]` is lane l's.
struct Phases {
  int count = 0;
  int phase[kMaxLanes] = {};
  int banks = 32;
};

constexpr Phases phases_of(Machine machine, Access access, int bytes, int lanes) {
  Phases p;
  if (access == Access::load_matrices) bytes = 16;
  p.banks = machine == Machine::cdna4 && access == Access::load && bytes >= 8 ? 64 : 32;
  const int words = bytes < kWord ? 1 : bytes / kWord, together = p.banks / words;
  p.count = lanes / together;
  for (int l = 0; l < lanes; ++l)
    p.phase[l] = l / together;
  if (access == Access::load && bytes == 16 && machine == Machine::cdna3) {
    // {0-3, 20-23}, {4-7, 16-19}, {8-11, 28-31}, {12-15, 24-27}, and the same from lane 32 on.
    constexpr int kQuads[8] = {0, 1, 2, 3, 1, 0, 3, 2};
    for (int l = 0; l < lanes; ++l)
      p.phase[l] = l / 32 * 4 + kQuads[l % 32 / 4];
  }
  if (access == Access::load && bytes == 16 && machine == Machine::cdna4) {
    // {0-3, 12-15, 20-27}, {4-11, 16-19, 28-31}, and the same from lane 32 on.
    constexpr int kQuads[8] = {0, 1, 1, 0, 1, 0, 0, 1};
    for (int l = 0; l < lanes; ++l)
      p.phase[l] = l / 32 * 2 + kQuads[l % 32 / 4];
  }
  return p;
}

// `address` in bytes, one a lane; lanes with a negative one are idle.
constexpr int cycles(Machine machine, Access access, int bytes, const int* address, int lanes) {
  const Phases p = phases_of(machine, access, bytes, lanes);
  const int words = bytes < kWord ? 1 : bytes / kWord;
  int total = 0;
  for (int phase = 0; phase < p.count; ++phase) {
    int worst = 0;
    for (int bank = 0; bank < p.banks; ++bank) {
      int seen[kMaxLanes * 4] = {}, different = 0;
      for (int l = 0; l < lanes; ++l) {
        if (p.phase[l] != phase || address[l] < 0) continue;
        for (int w = 0; w < words; ++w) {
          const int word = address[l] / kWord + w;
          if (word % p.banks != bank) continue;
          bool known = false;
          for (int i = 0; i < different; ++i)
            known |= seen[i] == word;
          if (!known) seen[different++] = word;
        }
      }
      worst = different > worst ? different : worst;
    }
    total += worst;
  }
  return total;
}

constexpr int best_cycles(Machine machine, Access access, int bytes, int lanes) {
  return phases_of(machine, access, bytes, lanes).count;
}

}  // namespace tile::banks
