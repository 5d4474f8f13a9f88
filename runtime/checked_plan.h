// A plan after its check: every name resolved to an index, every expression parsed.
//
// Plans come from outside. A CheckedPlan exists only for one whose names are distinct identifiers,
// whose references all resolve, whose expressions parse, and whose steps respect the buffers'
// kinds: inputs are never written, outputs always are, temporaries are written before they are
// read. Whether sizes make sense is known once the symbols have values (buffer_layout.h).

#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "core/expression.h"
#include "core/plan.h"
#include "core/status.h"

namespace kiln::runtime {

// Bounds of what a plan may hold; a launch keeps its state in arrays of these sizes.
inline constexpr size_t kMaxPlanSymbols = 64;  // those that Read steps make included
inline constexpr size_t kMaxPlanBuffers = 64;
inline constexpr size_t kMaxPlanSteps = 64;
inline constexpr size_t kMaxRank = 8;
inline constexpr size_t kMaxSlots = 256;       // argument slots of one launch
inline constexpr int kMaxBlockThreads = 1024;  // threads of a block
inline constexpr int kMaxClusterBlocks = 16;

struct CheckedPlan {
  struct Argument {
    kiln::Argument::Kind kind;
    size_t index = 0;  // of the buffer or the scalar
    Expression size;   // of a size argument
    TensorMap map;     // of a tensor map
    size_t slot = 0;   // its first
  };
  struct Launch {
    std::string entry;
    std::array<Expression, 3> grid;
    std::vector<Argument> arguments;
    size_t slots = 0;  // 8-byte words that the arguments take (runtime/host/abi.h)
    std::array<int, 3> block = {1, 1, 1};
    std::array<int, 3> cluster = {1, 1, 1};
    Expression scratchpad_bytes;
  };
  struct Fill {
    size_t buffer;
    uint8_t byte;
  };
  struct Read {
    size_t buffer;
    Expression index;
    size_t symbol;  // position among the symbols: behind the plan's own
  };
  struct Scan {
    size_t buffer;
  };
  using Step = std::variant<Launch, Fill, Read, Scan>;

  struct Buffer {
    kiln::Buffer declared;
    std::vector<Expression> shape;
    std::vector<int> order;  // always complete
    size_t first_step = 0, last_step = 0;
    bool used = false;
  };

  std::vector<Symbol> symbols;  // the plan's own
  size_t all_symbols = 0;       // those that Read steps make included
  std::vector<std::string> scalars;
  std::vector<Buffer> buffers;
  std::vector<size_t> arguments;  // buffers that a caller brings, in order
  std::vector<Step> steps;
};

// INVALID_ARGUMENT names the place in the plan, what stands there and what was expected.
StatusOr<CheckedPlan> check_plan(const Plan& plan);

// As declared, in the order in which a caller brings them.
std::vector<Buffer> arguments_of(const CheckedPlan& plan);

}  // namespace kiln::runtime
