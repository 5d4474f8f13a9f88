// The directory that holds a store: where it may lie, and how it is made.

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/status.h"

namespace kiln::db {

// Name of the network file system with this magic number of statfs(2), nullopt for others. SQLite's
// write-ahead log needs memory shared between its users, which these do not give.
std::optional<std::string_view> network_file_system(int64_t magic);

// Makes the directory and its parents (mode 0700) when missing. FAILED_PRECONDITION on a network
// file system and for what is no directory; PERMISSION_DENIED, RESOURCE_EXHAUSTED as the system
// says.
Status prepare_state_directory(const std::string& path);

}  // namespace kiln::db
