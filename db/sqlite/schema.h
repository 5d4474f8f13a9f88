// The layout of kiln.db, and how older layouts become this one.
//
// A database says what it is by application_id and how it is laid out by user_version. Migrations
// run one by one, each in a transaction that also raises user_version, so that a kill between or
// within them leaves a database that the next opening carries on with.

#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "core/status.h"
#include "db/sqlite/connection.h"

namespace kiln::db {

inline constexpr int64_t kApplicationId = 0x4b696c6e;  // "Kiln"

struct Migration {
  const char* purpose;
  const char* sql;
};

// Migration i leads from version i to i + 1.
std::span<const Migration> migrations();

// FAILED_PRECONDITION for another program's database or a newer version's; nothing is written then.
// DATA_LOSS when the file is damaged.
Status check_identity(Connection& connection, int64_t newest_version);

// Brings the layout to the newest version; makes it in an empty file.
Status migrate(Connection& connection, std::span<const Migration> steps);

// Looks at the file's header only, before SQLite touches it: FAILED_PRECONDITION as
// check_identity(), DATA_LOSS for a file that is no database, OK otherwise and for no file.
Status check_header(const std::string& path, int64_t newest_version);

}  // namespace kiln::db
