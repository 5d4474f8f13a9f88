// A connection to SQLite and its statements, with failures as Status.
//
//     Statement row = connection.prepare("SELECT id FROM device WHERE fingerprint = ?");
//     row.bind(fingerprint);
//     while (row.next()) use(row.integer(0));
//     KILN_RETURN_IF_ERROR(row.status());
//
// Values reach SQL only by bind(). A Connection and its Statements belong to one thread at a time.
// Errors: RESOURCE_EXHAUSTED (disk full, file size limit), PERMISSION_DENIED (read-only file or
// file system), DATA_LOSS (the file is damaged), UNAVAILABLE (locked by another process, input or
// output error), ALREADY_EXISTS (constraint).

#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "core/status.h"

namespace kiln::db {

struct Blob {
  std::string_view bytes;
};

// A prepared statement on loan from its connection's cache. The first failure sticks: later calls
// do nothing, next() is false and status() tells.
class Statement {
 public:
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  ~Statement();  // resets, so that no read transaction stays open

  // Binds the parameters from left to right.
  Statement& bind(int64_t value);
  Statement& bind(std::string_view text);
  Statement& bind(Blob blob);
  Statement& bind_null();

  bool next();   // steps to the next row; false at the end or after a failure
  Status run();  // steps to the end
  const Status& status() const { return status_; }

  // Columns of the present row.
  int64_t integer(int column) const;
  std::string text(int column) const;  // of texts and blobs
  bool is_null(int column) const;

 private:
  friend class Connection;
  Statement(sqlite3* database, sqlite3_stmt* statement, Status status)
      : database_(database), statement_(statement), status_(std::move(status)) {}
  Statement& check(int code);

  sqlite3* database_;
  sqlite3_stmt* statement_;  // null: preparing failed
  Status status_;
  int bound_ = 0;
};

class Connection {
 public:
  enum class Mode : uint8_t {
    kWrite,     // creates the file when it is missing
    kRead,      // beside a writer: never checkpoints, never writes
    kImmutable  // of a file that nobody writes, on media that cannot be written
  };
  static StatusOr<std::unique_ptr<Connection>> open(const std::string& path, Mode mode);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // One or more statements without parameters and results.
  Status execute(const char* sql);
  Statement prepare(std::string_view sql);

  int64_t last_row_id() const { return sqlite3_last_insert_rowid(database_); }
  int64_t changed_rows() const { return sqlite3_changes64(database_); }
  bool in_transaction() const { return sqlite3_get_autocommit(database_) == 0; }
  const std::string& path() const { return path_; }

 private:
  Connection(sqlite3* database, std::string path) : database_(database), path_(std::move(path)) {}

  sqlite3* database_;
  std::string path_;
  std::map<std::string, sqlite3_stmt*, std::less<>> statements_;
};

// Begins at construction, rolls back at destruction unless committed.
class Transaction {
 public:
  explicit Transaction(Connection& connection)
      : connection_(connection), begun_(connection.execute("BEGIN IMMEDIATE")) {}
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  const Status& begun() const { return begun_; }
  Status commit();

 private:
  Connection& connection_;
  Status begun_;
};

}  // namespace kiln::db
