// What happens to a damaged database: it is set aside, and what can be read is carried over.

#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "core/status.h"
#include "db/sqlite/connection.h"

namespace kiln::db {

// Renames the database with its log files to "<path>.corrupt-<UTC date and time>"; gives that name.
StatusOr<std::string> set_aside(const std::string& path);

// Copies every row of the damaged file that still reads and whose checksum holds. Ids stay, so that
// pinned winners and jobs keep theirs. A file that cannot be opened gives nothing and no error;
// errors are those of writing. Returns the number of rows; those whose checksum fails are counted
// in `lost`.
StatusOr<int64_t> salvage(const std::string& damaged_path, Connection& fresh,
                          std::atomic<int64_t>& lost);

}  // namespace kiln::db
