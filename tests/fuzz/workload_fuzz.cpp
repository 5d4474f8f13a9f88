// Workload files: read into rows as wide as the header, or refused with a reason.

#include "client/tunectl/workload.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto workload = kiln::tunectl::parse_workload(kiln::fuzz::text(data, size));
  kiln::fuzz::require(workload.ok() || !workload.status().message().empty(),
                      "a refusal has a reason");
  if (!workload.ok()) return 0;
  for (const auto& row : workload->rows) {
    kiln::fuzz::require(row.cells.size() == workload->columns.size(), "rows are complete");
    kiln::fuzz::require(row.line > workload->header_line, "rows follow the header");
  }
  return 0;
}
