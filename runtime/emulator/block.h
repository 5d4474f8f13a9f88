// One block of threads at work, every thread a fibre.
//
// A thread runs until it needs others: at a barrier, an exchange, a matrix instruction. It then
// waits until all threads of the block, or lanes of the warp, have come to the same place; the last
// to come does the operation for all. Which thread runs next is drawn from the seed. When no thread
// can run and not all have ended, or threads meet in different places, that is a fault, and the
// block is given up.
//
// One thread of the host at a time. Blocks are run one after the other; stacks are kept.

#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "runtime/emulator/abi.h"
#include "runtime/emulator/clocks.h"
#include "runtime/emulator/fault.h"
#include "runtime/emulator/fibre.h"
#include "runtime/emulator/global_memory.h"
#include "runtime/emulator/scratchpad.h"

namespace kiln::runtime::emulator {

class Block;
struct Thread;

// A thread's copy that has been issued and not been waited for.
struct Copy {
  uint32_t to;
  uint32_t size;
  std::array<char, 16> bytes;  // the first `size`
  uint32_t group;
};

// Sums that products in flight will write; until then poison lies in their place.
struct PendingSums {
  float* sums;
  std::vector<float> result;
  uint32_t group;  // of the last product
};

// What a product in flight reads: this thread's registers and, of the first lane of each warp,
// pieces of scratchpad.
struct PendingReads {
  const uint32_t* left;  // may be null
  std::array<uint32_t, 4> before;
  std::vector<uint32_t> pieces;
  uint32_t group;
};

// A barrier in phases.
struct PhasedBarrier {
  // Who brings boxes whose bytes count on this barrier: to clocks, a thread of its own.
  int copier = 0;
  int64_t missing_bytes = 0;  // of boxes; negative: not yet expected
  int maker = 0;              // thread that made it
  uint32_t maker_fences = 0;  // that it had made by then
  uint32_t arrivals = 0;      // that make a phase
  uint32_t missing = 0;       // of them
  uint32_t phase = 0;
  Clocks::Knowledge gathered;
  std::array<Clocks::Knowledge, 2> released;  // of the last phases, by parity
  std::vector<std::pair<uint32_t, uint32_t>> dead;
  std::vector<Thread*> waiting;
};

// A thread's copies, with the barrier at which it arrives when they have landed.
struct LateArrival {
  Thread* thread;
  uint32_t at;
  std::vector<Copy> copies;
  KilnPlace place;
};

// A box on its way.
struct BoxCopy {
  Thread* thread;  // that asked for it
  KilnEmulatorTensorMap map;
  uint32_t to, barrier;
  std::vector<char> bytes;
  KilnPlace place;
};

// A barrier of some warps, known by its number.
struct NumberedBarrier {
  int threads = 0;        // that make it
  std::vector<int> come;  // of them
  std::vector<Thread*> waiting;
  Clocks::Knowledge gathered;
  KilnPlace place;  // of the first to come
};

// What KilnEmulatorThread* points to.
struct Thread : KilnEmulatorThread {
  Block* owner = nullptr;
  Fibre fibre;
  std::vector<Copy> copies;
  uint32_t group = 0;  // of the copies to come
  std::vector<PendingSums> pending_sums;
  std::vector<PendingReads> pending_reads;
  uint32_t product_group = 0;     // of the products to come
  bool registers_fenced = false;  // since the last wait
  KilnPlace phase_place = {};     // of the wait for a phase
};

// An operation that all lanes of a warp, or all threads of a block, do together.
enum class Together : uint8_t {
  kBarrier,
  kShuffle,
  kCopy,
  kBallot,
  kLoadMatrices,
  kMultiply,
  kProduct,
  kProductWait
};

class Block {
 public:
  struct Work {
    const KilnEmulatorApi* api;
    const KilnEmulatorBody* body;
    const KilnU64* slots;
    std::array<int64_t, 3> index, grid;
    uint32_t scratchpad_bytes;
    uint64_t seed;
    const GlobalMemory* global;
    FaultLog* faults;
  };
  void run(const Work& work);
  void run_body(Thread& thread);  // on its fibre

  // ---- calls of threads

  void load_global(Thread&, void* value, const void* from, uint32_t bytes, KilnPlace);
  void store_global(Thread&, void* to, const void* value, uint32_t bytes, KilnPlace);
  void load_shared(Thread&, void* value, uint32_t from, uint32_t bytes, KilnPlace);
  void store_shared(Thread&, uint32_t to, const void* value, uint32_t bytes, KilnPlace);
  void copy_async(Thread&, uint32_t to, const void* from, uint32_t bytes, uint32_t present,
                  KilnPlace);
  void copy_direct(Thread&, uint32_t to, const void* from, bool present, KilnPlace);
  void copy_wait(Thread&, uint32_t groups_in_flight);
  void retire(uint32_t from, uint32_t bytes);
  uint32_t atomic_shared(Thread&, KilnEmulatorAtomic, uint32_t at, uint32_t operand,
                         uint32_t expected, KilnPlace);
  int atomic_add_global(Thread&, int* at, int operand, KilnPlace);

  void barrier(Thread&, KilnEmulatorScope, KilnPlace);
  uint32_t shuffle_xor(Thread&, uint32_t value, int mask, KilnPlace);
  KilnU64 ballot(Thread&, bool vote, KilnPlace);
  void load_matrices(Thread&, uint32_t* registers, uint32_t from, bool transposed, KilnPlace);
  void multiply(Thread&, KilnEmulatorInstruction, KilnEmulatorType, float* sums,
                const uint32_t* left, const uint32_t* right, KilnPlace);
  void product(Thread&, const KilnEmulatorProduct*, KilnPlace);
  void product_wait(Thread&, uint32_t groups_in_flight, KilnPlace);
  void proxy_fence(Thread&);
  void phase_init(Thread&, uint32_t at, uint32_t arrivals, KilnPlace);
  void phase_arrive(Thread&, uint32_t at, uint32_t dead, uint32_t bytes, KilnPlace);
  void phase_arrive_copies(Thread&, uint32_t at, KilnPlace);
  void phase_wait(Thread&, uint32_t at, int parity, KilnPlace);
  void phase_expect(Thread&, uint32_t at, uint32_t bytes, KilnPlace);
  void copy_box(Thread&, uint32_t to, const void* map, const int* coordinates, int rank,
                uint32_t barrier, KilnPlace);
  void warps_barrier(Thread&, int number, int threads, bool waits, KilnPlace);

 private:
  // Who bring boxes, behind the block's threads: barriers in phases share them.
  static constexpr int kCopiers = 32;

  // Threads that come together: those of a warp or of the block.
  struct Meeting {
    int size = 0;
    bool orders = true;  // what its threads do before from what they do after
    uint32_t epoch = 0;  // operations done together
    Together operation = Together::kBarrier;
    KilnPlace place = {};
    std::vector<Thread*> here;
    std::vector<void*> brought;  // by position in the group
  };

  using Act = absl::FunctionRef<void(std::span<void* const>)>;
  // Waits for the others; the last one calls act(what each has brought).
  void meet(Meeting& meeting, int position, Thread& thread, Together operation, KilnPlace place,
            void* brought, Act act);
  Meeting& warp_of(const Thread& t) { return warps_[size_t(t.warp)]; }

  // Null, after a report, where no barrier is.
  PhasedBarrier* phased(Thread& t, uint32_t at, KilnPlace place);
  void arrive(PhasedBarrier& barrier, Thread& t);
  void end_phase_if_over(PhasedBarrier& barrier);
  void land(Thread& t, const Copy& copy);
  // The copies of one of those that arrive late land, and it arrives.
  void land_late_arrival();
  // False, after a report, where a copy cannot go by it.
  bool check_map(const Thread& t, const KilnEmulatorTensorMap& map, uint32_t to, size_t rank,
                 KilnPlace place);
  // The bytes of a box at these coordinates.
  std::vector<char> read_box(Thread& t, const KilnEmulatorTensorMap& map,
                             std::span<const int> coordinates, KilnPlace place);
  // One of the boxes on their way lands.
  void land_box();

  struct ProductShare;
  // All of a warpgroup have come: begins their product.
  void begin_product(std::span<void* const> shares, KilnPlace place);
  // Marks what a product reads through a descriptor as read; false: it may not be.
  bool hold(Thread& first, const std::vector<uint32_t>& pieces, KilnPlace place);
  void end_products(Thread& t, uint32_t groups_in_flight, KilnPlace place);

  void set_up(const Work& work);
  void run_threads();
  void report_stuck();
  // What a block leaves behind when all its threads have ended.
  void report_left();
  void report(const Thread& t, Fault::Kind kind, std::string detail, KilnPlace place);
  bool check_global(const Thread& t, const void* address, uint32_t bytes, uint32_t alignment,
                    bool write, KilnPlace);
  bool check_shared(const Thread& t, Scratchpad::Use use, uint32_t offset, uint32_t bytes,
                    KilnPlace);
  Scratchpad::Access access_of(const Thread& t) const;
  void give_up(Thread& t);
  void may_yield(Thread& t);

  Work work_{};
  std::vector<std::unique_ptr<Thread>> threads_;  // as many as any block had
  int count_ = 0;                                 // of this block
  std::vector<Thread*> ready_;
  Meeting all_;
  std::vector<Meeting> warps_;
  std::vector<Meeting> warpgroups_;
  std::array<NumberedBarrier, 16> numbered_;
  std::map<uint32_t, PhasedBarrier> phased_;  // by place in scratchpad
  std::vector<LateArrival> late_;
  std::vector<BoxCopy> boxes_;
  Clocks clocks_;
  std::vector<std::pair<uint32_t, uint32_t>> retired_;  // scratchpad dead after the next barrier
  Scratchpad scratchpad_;
  std::minstd_rand random_;
  bool given_up_ = false;
};

}  // namespace kiln::runtime::emulator
