// The client's own cache against a bare hash map.

#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "kiln/v1/problem.pb.h"

namespace kiln::bench {

// Nanoseconds of Client::find() on a kernel that is there, against a find by the bytes of the
// problem's key in an absl::flat_hash_map of as many entries; as a round of main.cpp.
nlohmann::json in_process_lookup(const std::string& socket, const v1::Problem& problem);

}  // namespace kiln::bench
