// What every Store must do, whatever keeps it.

#pragma once

#include <functional>
#include <memory>
#include <string>

#include "db/store.h"

namespace kiln::db::testing {

// Opens a store on a directory; opening the same directory again after closing finds what was kept.
using OpenStore = std::function<StatusOr<std::unique_ptr<Store>>(const std::string& directory)>;

void keeps_measurements(const OpenStore& open);
void keeps_doubles_exactly(const OpenStore& open);
void replaces_winners(const OpenStore& open);
void filters_and_pages_winners(const OpenStore& open);
void creates_jobs_once(const OpenStore& open);
void keeps_artifacts(const OpenStore& open);
void collects_garbage(const OpenStore& open);
void serves_many_threads(const OpenStore& open);

}  // namespace kiln::db::testing
