// Expressions of plans: any text is parsed or refused, and evaluates without overflow.

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "core/expression.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::vector<std::string> symbols = {"batch", "seq_q", "n"};
  const auto expression = kiln::Expression::parse(kiln::fuzz::text(data, size), symbols);
  if (!expression.ok()) return 0;
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  for (const int64_t value : {kMin, int64_t{-1}, int64_t{0}, int64_t{1}, int64_t{4097}, kMax}) {
    const std::array<int64_t, 3> values = {value, 3, ~value};
    (void)expression->evaluate(values);
  }
  return 0;
}
