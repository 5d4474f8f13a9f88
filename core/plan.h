// A plan: how to run an artifact, as data.
//
// A plan is a list of steps over named buffers. Order of the list is order of execution; `reads`
// and `writes` give the dependencies. Sizes are expressions over the plan's symbols (expression.h),
// so one plan serves every problem with the same statics inside the symbols' ranges. A plan is data
// from outside: load() of the run time checks it in full.

#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/dtype.h"
#include "core/status.h"

namespace kiln {

inline constexpr int kPlanVersion = 1;

// A sized field of the problem, in schema order, and the values for which the plan holds.
struct Symbol {
  std::string name = {};
  int64_t minimum = 0;
  int64_t maximum = 0;
  bool operator==(const Symbol&) const = default;
};

struct Buffer {
  enum class Kind : uint8_t { kInput, kOutput, kTemporary, kPerWorker };
  enum class Initial : uint8_t { kNone, kZero, kCleanOnExit };

  std::string name = {};
  Dtype dtype = Dtype::kF32;
  std::vector<std::string>
      shape;                    // expressions, one an axis, in the order documented by the family
  std::vector<int> order = {};  // axes by falling stride when dense; empty: as in `shape`
  Kind kind = Kind::kInput;
  Initial initial = Initial::kNone;  // temporaries
  bool optional = false;             // arguments: may be absent (address 0)
  int unit_stride_axis = -1;         // arguments: this axis must have stride 1; -1: none must
  int64_t alignment = 1;             // of the first element, in bytes
  bool operator==(const Buffer&) const = default;
};

// A buffer as bulk copies see it: they bring boxes of it into scratchpad. Dimension d follows axis
// axes[d], with the size and the stride that the buffer has there at the launch, so that a map
// shows nothing that the buffer does not hold; the elements of dimension 0 lie side by side. What a
// box shows beyond the buffer is zeros.
struct TensorMap {
  // In scratchpad, chunks of 16 bytes change places within so many bytes, by the rows they are of.
  enum class Swizzle : uint8_t { kNone, k32Bytes, k64Bytes, k128Bytes };

  std::vector<int> axes = {};  // each of the buffer's once
  std::vector<int> box = {};   // elements along each dimension
  Swizzle swizzle = Swizzle::kNone;
  bool operator==(const TensorMap&) const = default;
};

// Bytes within which a swizzle exchanges chunks, and which a row of a box then has; 0: no swizzle.
constexpr int span_bytes(TensorMap::Swizzle swizzle) {
  return swizzle == TensorMap::Swizzle::kNone ? 0 : 16 << int(swizzle);
}

// One argument of a launch; see runtime/host/abi.h for its slots.
struct Argument {
  enum class Kind : uint8_t { kTensor, kSize, kScalar, kTensorMap };
  Kind kind = Kind::kTensor;
  std::string text = {};  // a buffer's name, an expression, a scalar field's name
  TensorMap map = {};     // of a tensor map, over the buffer named
  bool operator==(const Argument&) const = default;
};

struct Launch {
  std::string entry = {};                // of the artifact
  std::array<std::string, 3> grid = {};  // expressions: blocks along x (fastest), y, z
  std::vector<Argument> arguments = {};
  std::vector<std::string> reads = {};  // buffers
  std::vector<std::string> writes = {};
  int lane = 0;                            // stream on which it may run
  std::array<int, 3> block = {1, 1, 1};    // threads (GPU)
  std::array<int, 3> cluster = {1, 1, 1};  // blocks (GPU)
  std::string scratchpad_bytes = "0";      // expression: dynamic scratchpad (GPU)
  bool operator==(const Launch&) const = default;
};

// Sets every byte of a buffer.
struct Fill {
  std::string buffer = {};
  uint8_t byte = 0;
  bool operator==(const Fill&) const = default;
};

// Waits and makes element `index` of an i64 buffer the value of `symbol` for the steps that follow.
struct Read {
  std::string buffer = {};
  std::string index = {};
  std::string symbol = {};
  bool operator==(const Read&) const = default;
};

// Exclusive prefix sum of an i64 buffer in place; its last element receives the total.
struct Scan {
  std::string buffer = {};
  bool operator==(const Scan&) const = default;
};

using Step = std::variant<Launch, Fill, Read, Scan>;

struct Plan {
  int version = kPlanVersion;
  std::vector<Symbol> symbols = {};
  std::vector<std::string> scalars = {};  // names of the scalar fields, in schema order
  std::vector<Buffer> buffers = {};
  std::vector<Step> steps = {};
  bool operator==(const Plan&) const = default;
};

// The names that expressions use, in the order of the problem's sizes.
std::vector<std::string> symbol_names(const Plan& plan);

// "input", "output", "temporary", "per_worker"
std::string_view name_of(Buffer::Kind kind);
// "none", "32B", "64B", "128B"
std::string_view name_of(TensorMap::Swizzle swizzle);

// JSON, the stored form. from_json checks structure and types, names the place of the first fault.
std::string to_json(const Plan& plan);
StatusOr<Plan> plan_from_json(std::string_view json);

}  // namespace kiln
