#include "db/sqlite/connection.h"

#include <fmt/format.h>

#include <cerrno>
#include <system_error>

namespace kiln::db {
namespace {

constexpr int kBusyTimeoutMs = 2'000;

bool out_of_space(int system_error) {
  return system_error == ENOSPC || system_error == EDQUOT || system_error == EFBIG;
}

absl::StatusCode code_of(int sqlite_code, int system_error) {
  // A quota or a file size limit ends here, and SQLite does not keep which error it was.
  if (sqlite_code == SQLITE_IOERR_WRITE) return absl::StatusCode::kResourceExhausted;
  switch (sqlite_code & 0xff) {
    case SQLITE_FULL:
    case SQLITE_NOMEM:
      return absl::StatusCode::kResourceExhausted;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::StatusCode::kDataLoss;
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return absl::StatusCode::kPermissionDenied;
    case SQLITE_CONSTRAINT:
      return absl::StatusCode::kAlreadyExists;
    case SQLITE_TOOBIG:
      return absl::StatusCode::kInvalidArgument;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return absl::StatusCode::kUnavailable;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
      if (out_of_space(system_error)) return absl::StatusCode::kResourceExhausted;
      if (system_error == EACCES || system_error == EROFS || system_error == EPERM) {
        return absl::StatusCode::kPermissionDenied;
      }
      return absl::StatusCode::kUnavailable;
    default:
      return absl::StatusCode::kInternal;
  }
}

Status status_of(sqlite3* database, int code) {
  if (code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE) return absl::OkStatus();
  const char* path = sqlite3_db_filename(database, "main");
  const int system_error = sqlite3_system_errno(database);
  std::string message =
      fmt::format("database {}: {}", path != nullptr ? path : "", sqlite3_errmsg(database));
  if (code == SQLITE_IOERR_WRITE) message += " (disk, quota or file size limit full, or failing)";
  if ((code & 0xff) == SQLITE_IOERR && system_error != 0) {
    message += fmt::format(" ({})", std::generic_category().message(system_error));
  }
  return Status(code_of(code, system_error), message);
}

}  // namespace

Statement::~Statement() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

Statement& Statement::check(int code) {
  if (status_.ok()) status_ = status_of(database_, code);
  return *this;
}

Statement& Statement::bind(int64_t value) {
  if (!status_.ok()) return *this;
  return check(sqlite3_bind_int64(statement_, ++bound_, value));
}

Statement& Statement::bind(std::string_view text) {
  if (!status_.ok()) return *this;
  return check(sqlite3_bind_text64(statement_, ++bound_, text.data() != nullptr ? text.data() : "",
                                   text.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
}

Statement& Statement::bind(Blob blob) {
  if (!status_.ok()) return *this;
  return check(sqlite3_bind_blob64(statement_, ++bound_,
                                   blob.bytes.data() != nullptr ? blob.bytes.data() : "",
                                   blob.bytes.size(), SQLITE_TRANSIENT));
}

Statement& Statement::bind_null() {
  if (!status_.ok()) return *this;
  return check(sqlite3_bind_null(statement_, ++bound_));
}

bool Statement::next() {
  if (!status_.ok()) return false;
  const int code = sqlite3_step(statement_);
  check(code);
  return code == SQLITE_ROW;
}

Status Statement::run() {
  while (next()) {
  }
  return status_;
}

int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}

std::string Statement::text(int column) const {
  const void* bytes = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  return bytes == nullptr ? std::string()
                          : std::string(static_cast<const char*>(bytes), size_t(size));
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

StatusOr<std::unique_ptr<Connection>> Connection::open(const std::string& path, Mode mode) {
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  flags |= mode == Mode::kWrite ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
  std::string name = path;
  if (mode == Mode::kImmutable) {
    flags |= SQLITE_OPEN_URI;
    name = "file:";
    for (char c : path) {
      if (c == '?' || c == '#' || c == '%') {
        name += fmt::format("%{:02x}", static_cast<unsigned char>(c));
      } else {
        name += c;
      }
    }
    name += "?immutable=1";
  }
  sqlite3* database = nullptr;
  const int code = sqlite3_open_v2(name.c_str(), &database, flags, nullptr);
  if (code != SQLITE_OK) {
    const Status status =
        database != nullptr ? status_of(database, code) : absl::ResourceExhaustedError("no memory");
    sqlite3_close(database);
    return annotate(status, path);
  }
  std::unique_ptr<Connection> connection(new Connection(database, path));
  sqlite3_busy_timeout(database, kBusyTimeoutMs);
  KILN_RETURN_IF_ERROR(
      connection->execute("PRAGMA trusted_schema = OFF; PRAGMA foreign_keys = ON"));
  if (mode != Mode::kWrite) {
    KILN_RETURN_IF_ERROR(
        connection->execute("PRAGMA wal_autocheckpoint = 0; PRAGMA query_only = ON"));
  }
  return connection;
}

Connection::~Connection() {
  for (const auto& [sql, statement] : statements_)
    sqlite3_finalize(statement);
  sqlite3_close(database_);
}

Status Connection::execute(const char* sql) {
  return status_of(database_, sqlite3_exec(database_, sql, nullptr, nullptr, nullptr));
}

Statement Connection::prepare(std::string_view sql) {
  auto found = statements_.find(sql);
  if (found == statements_.end()) {
    sqlite3_stmt* statement = nullptr;
    const int code = sqlite3_prepare_v3(database_, sql.data(), int(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) return Statement(database_, nullptr, status_of(database_, code));
    found = statements_.emplace(sql, statement).first;
  }
  return Statement(database_, found->second, absl::OkStatus());
}

Transaction::~Transaction() {
  // A failed COMMIT or a full disk may have rolled back already.
  if (begun_.ok() && connection_.in_transaction()) connection_.execute("ROLLBACK").IgnoreError();
}

Status Transaction::commit() {
  return connection_.execute("COMMIT");
}

}  // namespace kiln::db
