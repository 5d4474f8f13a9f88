// Integer expressions over named sizes, as plans carry them: "ceil_div(seq_q, 64) * heads_q".
//
//     expression := term {("+" | "-") term}
//     term       := factor {"*" factor}
//     factor     := integer | name | "(" expression ")"
//                 | function "(" expression "," expression ")"
//     function   := "ceil_div" | "min" | "max"
//
// Arithmetic is checked 64-bit: overflow and division by zero are errors, never wrap-around. Text
// is untrusted: at most 1,024 characters, 64 levels deep.

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/status.h"

namespace kiln {

class Expression {
 public:
  // `symbols` are the names that may occur; evaluate() takes their values in the same order.
  static StatusOr<Expression> parse(std::string_view text, std::span<const std::string> symbols);

  // Allocates nothing when it succeeds.
  StatusOr<int64_t> evaluate(std::span<const int64_t> values) const;

 private:
  enum class Op : uint8_t { kConstant, kSymbol, kAdd, kSubtract, kMultiply, kCeilDiv, kMin, kMax };
  struct Instruction {
    Op op;
    int64_t operand;  // constant, or index of a symbol
  };
  friend class ExpressionParser;
  std::vector<Instruction> program_;  // postfix, stack depth <= 64
};

}  // namespace kiln
