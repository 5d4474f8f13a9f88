// What compiled variants take of a GPU, for people and as JSON.

#pragma once

#include <span>
#include <string>

#include "client/tunectl/json.h"
#include "client/tunectl/table.h"
#include "tuner/resources.h"

namespace kiln::tunectl {

// One row an entry; empty for targets that are no GPU.
Table resource_table(const tuner::Resources& resources);
Json to_json(const tuner::Resources& resources);

// "64–168 registers, 25–50 % occupancy, 8–32 KiB scratchpad" over many; "–" for none.
std::string range_text(std::span<const tuner::Resources> many);

}  // namespace kiln::tunectl
