#include <sqlite3.h>

#include <catch2/catch.hpp>

#include "db/sqlite/connection.h"
#include "db/sqlite/schema.h"
#include "tests/db/damaged_store.h"

namespace kiln::db::testing {
namespace {

std::unique_ptr<Connection> must_connect(const std::string& path) {
  auto connection = Connection::open(path, Connection::Mode::kWrite);
  REQUIRE(connection.ok());
  return *std::move(connection);
}

int64_t number(Connection& connection, const char* sql) {
  Statement row = connection.prepare(sql);
  REQUIRE(row.next());
  return row.integer(0);
}

void check_refused(DamagedStore& store, const std::string& reason) {
  const std::string before = read_file(store.path());
  const Status status = store.open();
  CHECK(absl::IsFailedPrecondition(status));
  CHECK_THAT(std::string(status.message()), Catch::Contains(reason));
  CHECK(read_file(store.path()) == before);
  CHECK_FALSE(std::filesystem::exists(store.path("kiln.db-wal")));
}

TEST_CASE("a database of a newer version is refused untouched") {
  DamagedStore store;
  store.build();
  store.close();
  must_connect(store.path())->execute("PRAGMA user_version = 999").IgnoreError();
  check_refused(store, "layout version 999");
}

TEST_CASE("another program's database is refused untouched") {
  DamagedStore store;
  SECTION("with its own application id") {
    auto connection = must_connect(store.path());
    REQUIRE(connection->execute("CREATE TABLE t (x); PRAGMA application_id = 77").ok());
  }
  SECTION("without any") {
    auto connection = must_connect(store.path());
    REQUIRE(connection->execute("CREATE TABLE t (x)").ok());
  }
  check_refused(store, "another program's");
}

TEST_CASE("an empty file and an empty database become a store") {
  DamagedStore store;
  SECTION("no bytes") {
    write_file(store.path(), "");
  }
  SECTION("a database without tables, as a killed first start leaves it") {
    auto connection = must_connect(store.path());
    REQUIRE(connection->execute("PRAGMA journal_mode = WAL").ok());
  }
  store.build();
  CHECK(store.check_truth() == store.written());
  CHECK(store.store().health().quarantined.empty());
}

TEST_CASE("a database of layout version 1 keeps what it holds") {
  DamagedStore store;
  {
    const std::string golden = read_file(KILN_SOURCE_DIRECTORY "/tests/db/golden/version_1.sql");
    const Status made = must_connect(store.path())->execute(golden.c_str());
    INFO(made);
    REQUIRE(made.ok());
  }
  store.must_open();
  Store& opened = store.store();
  const auto rows = opened.measurements(sample_problem(1), kDevice, {});
  REQUIRE(rows.ok());
  REQUIRE(rows->size() == 3);
  for (int n = 0; n < 3; ++n) {
    CHECK(to_json((*rows)[size_t(n)].measurement) == to_json(sample_measurement(n)));
  }
  CHECK(opened.winners({}, {})->size() == 2);
  CHECK(opened.find_winner(sample_problem(1).problem_key, kDevice)->value().id == 2);
  CHECK(opened.winner(1)->plan_json == sample_winner(1).plan_json);  // replaced, but pinned
  CHECK(opened.job(1)->state == JobState::kSucceeded);
  CHECK(opened.create_job(sample_job(5, "request"))->id == 1);
  write_file(store.path("artifacts/" + sample_artifact(1).hash), sample_artifact(1).bytes);
  CHECK(opened.artifact(sample_artifact(1).hash)->has_value());
  CHECK(opened.health().damaged_rows == 0);
  CHECK(opened.health().quarantined.empty());
}

TEST_CASE("migrations run in order, once, and each whole or not at all") {
  const kiln::testing::ScratchDirectory scratch;
  const Migration steps[] = {
      {"first", "CREATE TABLE t (x INTEGER) STRICT; INSERT INTO t VALUES (1)"},
      {"second", "UPDATE t SET x = x * 10"},
      {"broken", "INSERT INTO t VALUES (5); INSERT INTO nowhere VALUES (1)"}};
  auto connection = must_connect(scratch / "kiln.db");
  REQUIRE(migrate(*connection, std::span(steps, 1)).ok());
  CHECK(number(*connection, "SELECT x FROM t") == 1);
  REQUIRE(migrate(*connection, std::span(steps, 2)).ok());
  REQUIRE(migrate(*connection, std::span(steps, 2)).ok());
  CHECK(number(*connection, "SELECT x FROM t") == 10);

  const Status broken = migrate(*connection, std::span(steps, 3));
  CHECK_FALSE(broken.ok());
  CHECK_THAT(std::string(broken.message()), Catch::Contains("layout version 3 (broken)"));
  CHECK(number(*connection, "SELECT COUNT(*) FROM t") == 1);
  CHECK(number(*connection, "PRAGMA user_version") == 2);
  CHECK(check_identity(*connection, 2).ok());
  CHECK(absl::IsFailedPrecondition(check_identity(*connection, 1)));
}

}  // namespace
}  // namespace kiln::db::testing
