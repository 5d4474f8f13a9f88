#include "core/expression.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "absl/strings/ascii.h"

namespace kiln {
namespace {

constexpr size_t kMaxLength = 1024;
constexpr int kMaxDepth = 64;

}  // namespace

// Recursive descent; depth bounds both the recursion and the evaluation stack.
class ExpressionParser {
 public:
  ExpressionParser(std::string_view text, std::span<const std::string> symbols)
      : text_(text), symbols_(symbols) {}

  StatusOr<Expression> parse() {
    if (text_.size() > kMaxLength) return fault("at most 1024 characters");
    KILN_RETURN_IF_ERROR(sum(0));
    skip_space();
    if (at_ < text_.size()) return fault("an operator or the end");
    return std::move(result_);
  }

 private:
  using Op = Expression::Op;

  Status fault(std::string_view expected) const {
    return absl::InvalidArgumentError(fmt::format("expression \"{}\": expected {} at position {}",
                                                  printable(text_), expected, at_));
  }

  void skip_space() {
    while (at_ < text_.size() && text_[at_] == ' ')
      ++at_;
  }

  bool accept(char c) {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  Status expect(char c) {
    if (accept(c)) return absl::OkStatus();
    return fault(fmt::format("'{}'", c));
  }

  void emit(Op op, int64_t operand = 0) { result_.program_.push_back({op, operand}); }

  Status sum(int depth) {
    if (depth > kMaxDepth - 4) return fault("less nesting");
    KILN_RETURN_IF_ERROR(product(depth));
    while (true) {
      const bool plus = accept('+');
      if (!plus && !accept('-')) return absl::OkStatus();
      KILN_RETURN_IF_ERROR(product(depth + 1));
      emit(plus ? Op::kAdd : Op::kSubtract);
    }
  }

  Status product(int depth) {
    KILN_RETURN_IF_ERROR(factor(depth));
    while (accept('*')) {
      KILN_RETURN_IF_ERROR(factor(depth + 1));
      emit(Op::kMultiply);
    }
    return absl::OkStatus();
  }

  Status factor(int depth) {
    if (accept('(')) {
      KILN_RETURN_IF_ERROR(sum(depth + 1));
      return expect(')');
    }
    skip_space();
    const size_t start = at_;
    while (at_ < text_.size() && (absl::ascii_isalnum(text_[at_]) || text_[at_] == '_'))
      ++at_;
    const std::string_view word = text_.substr(start, at_ - start);
    if (word.empty()) return fault("a number, a name or '('");
    if (absl::ascii_isdigit(word[0])) {
      int64_t value = 0;
      const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
      if (error != std::errc() || end != word.data() + word.size()) {
        at_ = start;
        return fault("a 64-bit number");
      }
      emit(Op::kConstant, value);
      return absl::OkStatus();
    }
    const auto symbol = std::find(symbols_.begin(), symbols_.end(), word);
    if (symbol != symbols_.end()) {
      emit(Op::kSymbol, symbol - symbols_.begin());
      return absl::OkStatus();
    }
    constexpr std::pair<std::string_view, Op> kFunctions[] = {
        {"ceil_div", Op::kCeilDiv}, {"min", Op::kMin}, {"max", Op::kMax}};
    for (const auto& [name, op] : kFunctions) {
      if (word != name) continue;
      KILN_RETURN_IF_ERROR(expect('('));
      KILN_RETURN_IF_ERROR(sum(depth + 1));
      KILN_RETURN_IF_ERROR(expect(','));
      KILN_RETURN_IF_ERROR(sum(depth + 2));
      KILN_RETURN_IF_ERROR(expect(')'));
      emit(op);
      return absl::OkStatus();
    }
    at_ = start;
    return fault("a known symbol or function");
  }

  std::string_view text_;
  std::span<const std::string> symbols_;
  size_t at_ = 0;
  Expression result_;
};

StatusOr<Expression> Expression::parse(std::string_view text,
                                       std::span<const std::string> symbols) {
  return ExpressionParser(text, symbols).parse();
}

StatusOr<int64_t> Expression::evaluate(std::span<const int64_t> values) const {
  std::array<int64_t, kMaxDepth + 4> stack;
  size_t depth = 0;
  for (const Instruction& instruction : program_) {
    if (instruction.op == Op::kConstant) {
      stack[depth++] = instruction.operand;
      continue;
    }
    if (instruction.op == Op::kSymbol) {
      const auto index = static_cast<size_t>(instruction.operand);
      if (index >= values.size()) return absl::InvalidArgumentError("symbol without a value");
      stack[depth++] = values[index];
      continue;
    }
    const int64_t b = stack[--depth];
    int64_t& a = stack[depth - 1];
    bool overflow = false;
    switch (instruction.op) {
      case Op::kAdd:
        overflow = __builtin_add_overflow(a, b, &a);
        break;
      case Op::kSubtract:
        overflow = __builtin_sub_overflow(a, b, &a);
        break;
      case Op::kMultiply:
        overflow = __builtin_mul_overflow(a, b, &a);
        break;
      case Op::kMin:
        a = std::min(a, b);
        break;
      case Op::kMax:
        a = std::max(a, b);
        break;
      case Op::kCeilDiv:
        if (b <= 0) return absl::OutOfRangeError("division by a number that is not positive");
        a = a / b + (a % b > 0 ? 1 : 0);
        break;
      case Op::kConstant:
      case Op::kSymbol:
        break;
    }
    if (overflow) return absl::OutOfRangeError("size exceeds 64 bits");
  }
  if (depth != 1) return absl::InvalidArgumentError("empty expression");
  return stack[0];
}

}  // namespace kiln
