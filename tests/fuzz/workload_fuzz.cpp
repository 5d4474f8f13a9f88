// Workload files: read into rows as wide as the header, or refused with a reason; rows become
// problems of a family, or are refused with one.

#include <vector>

#include "client/tunectl/workload.h"
#include "client/tunectl/workload_problems.h"
#include "core/family.h"
#include "templates/registry.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto schemas = [] {
    std::vector<const kiln::Schema*> all;
    for (const kiln::Family* family : kiln::families())
      all.push_back(&family->schema());
    return all;
  }();
  const auto workload = kiln::tunectl::parse_workload(kiln::fuzz::text(data, size));
  kiln::fuzz::require(workload.ok() || !workload.status().message().empty(),
                      "a refusal has a reason");
  if (!workload.ok()) return 0;
  for (const auto& row : workload->rows) {
    kiln::fuzz::require(row.cells.size() == workload->columns.size(), "rows are complete");
    kiln::fuzz::require(row.line > workload->header_line, "rows follow the header");
  }
  const auto problems = kiln::tunectl::workload_problems(*workload, schemas, {.max_batch = 16});
  kiln::fuzz::require(problems.ok() || !problems.status().message().empty(),
                      "a refusal has a reason");
  if (!problems.ok()) return 0;
  kiln::fuzz::require(problems->size() <= workload->rows.size(), "a row is one problem at most");
  return 0;
}
