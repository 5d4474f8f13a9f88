// Plans as JSON: refused, or read so that writing and reading again gives the same; a plan that
// passes the run time's check can be laid out for any values of its symbols.

#include <vector>

#include "core/plan.h"
#include "runtime/buffer_layout.h"
#include "runtime/checked_plan.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto plan = kiln::plan_from_json(kiln::fuzz::text(data, size));
  if (!plan.ok()) return 0;
  const auto again = kiln::plan_from_json(kiln::to_json(*plan));
  kiln::fuzz::require(again.ok() && *again == *plan, "a plan survives its JSON");
  const auto checked = kiln::runtime::check_plan(*plan);
  if (!checked.ok()) return 0;
  for (const bool smallest : {true, false}) {
    std::vector<int64_t> symbols;
    for (const auto& symbol : checked->symbols) {
      symbols.push_back(smallest ? symbol.minimum : symbol.maximum);
    }
    (void)kiln::runtime::lay_out(*checked, symbols);
  }
  return 0;
}
