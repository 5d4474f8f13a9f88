#include <catch2/catch.hpp>
#include <set>

#include "tests/db/damaged_store.h"

namespace kiln::db::testing {
namespace {

// Opens, or refuses with a reason; after opening it tells the truth and takes new rows.
void open_and_check(DamagedStore& damaged) {
  const Status status = damaged.open();
  INFO(status);
  if (!status.ok()) {
    // A bit of the version or of the application's number makes it look like somebody else's.
    CHECK(absl::IsFailedPrecondition(status));
    return;
  }
  damaged.check_truth();
  WinnerRow row = sample_winner(1000);
  CHECK(damaged.store().put_winner(row).ok());
  CHECK(damaged.store().find_winner(row.problem.problem_key, kDevice)->has_value());
}

TEST_CASE("a database truncated anywhere opens or is set aside") {
  DamagedStore damaged;
  damaged.build();
  damaged.close();
  const std::string whole = read_file(damaged.path());
  std::set<size_t> lengths = {0, 1, 15, 16, 17, 99, 100, 101, 4095, 4096, 4097};
  for (size_t length = 0; length < whole.size(); length += 6151)
    lengths.insert(length);
  for (size_t length : lengths) {
    INFO("length " << length << " of " << whole.size());
    damaged.clear();
    write_file(damaged.path(), whole.substr(0, length));
    open_and_check(damaged);
  }
}

TEST_CASE("a flipped byte anywhere never gives a wrong row") {
  DamagedStore damaged;
  damaged.build();
  damaged.close();
  const std::string whole = read_file(damaged.path());
  size_t kept = 0, rounds = 0;
  for (size_t position = 3; position < whole.size(); position += 2999) {
    for (unsigned char mask : {0x01, 0xff}) {
      INFO("position " << position << " of " << whole.size() << ", mask " << int(mask));
      damaged.clear();
      std::string bytes = whole;
      bytes[position] = char(bytes[position] ^ mask);
      write_file(damaged.path(), bytes);
      REQUIRE(damaged.open().ok());
      kept += damaged.check_truth();
      ++rounds;
    }
  }
  // Salvage loses what lies around the damage, not the file.
  CHECK(kept > rounds * damaged.written() * 8 / 10);
  // The whole header, byte by byte.
  for (size_t position = 0; position < 100; ++position) {
    INFO("header byte " << position);
    damaged.clear();
    std::string bytes = whole;
    bytes[position] = char(bytes[position] ^ 0x10);
    write_file(damaged.path(), bytes);
    open_and_check(damaged);
  }
}

TEST_CASE("a log that is torn, flipped or gone loses its end at most") {
  DamagedStore damaged;
  damaged.build();
  const std::string database = read_file(damaged.path());  // copied while open: the log is full
  const std::string log = read_file(damaged.path("kiln.db-wal"));
  REQUIRE(log.size() > 10'000);
  const auto reopen_with = [&](const std::string& bytes) {
    damaged.clear();
    write_file(damaged.path(), database);
    write_file(damaged.path("kiln.db-wal"), bytes);
    open_and_check(damaged);
  };
  reopen_with(log);
  CHECK(damaged.check_truth() == damaged.written());
  for (size_t length = 0; length < log.size(); length += log.size() / 23) {
    INFO("log of " << length << " bytes of " << log.size());
    reopen_with(log.substr(0, length));
  }
  for (size_t position = 7; position < log.size(); position += log.size() / 37) {
    INFO("log byte " << position << " of " << log.size());
    std::string bytes = log;
    bytes[position] = char(bytes[position] ^ 0x40);
    reopen_with(bytes);
  }
}

TEST_CASE("a text in place of the database is set aside") {
  DamagedStore damaged;
  write_file(damaged.path(), "This is no database.\n" + std::string(5000, 'x'));
  damaged.must_open();
  const std::string aside = damaged.store().health().quarantined;
  REQUIRE(aside.starts_with(damaged.path() + ".corrupt-"));
  CHECK(read_file(aside).starts_with("This is no database."));
  CHECK(damaged.store().winners({}, {})->empty());
}

TEST_CASE("damage that appears while the store is open is repaired") {
  DamagedStore damaged;
  damaged.build();
  damaged.close();
  damaged.must_open();
  std::string bytes = read_file(damaged.path());
  for (size_t page = 4096; page < bytes.size(); page += 4096)
    bytes[page] = char(0xee);
  {
    std::fstream file(damaged.path(), std::ios::binary | std::ios::in | std::ios::out);
    file.write(bytes.data(), std::streamsize(bytes.size()));
  }
  damaged.check_truth();
  CHECK(damaged.store().put_winner(sample_winner(1000)).ok());
  CHECK(damaged.store().find_winner(sample_problem(1000).problem_key, kDevice)->has_value());
  CHECK_FALSE(damaged.store().health().quarantined.empty());
  damaged.must_open();
  CHECK(damaged.store().find_winner(sample_problem(1000).problem_key, kDevice)->has_value());
}

TEST_CASE("a damaged artifact reads as absent, is removed and counted") {
  DamagedStore damaged;
  damaged.must_open();
  const Artifact artifact = sample_artifact(1);
  const std::string file = damaged.path("artifacts/" + artifact.hash);
  const std::string whole = artifact.bytes;
  int64_t count = 0;
  for (size_t position = 0; position < whole.size(); position += 111) {
    REQUIRE(damaged.store().put_artifact(artifact).ok());
    std::string bytes = whole;
    bytes[position] = char(bytes[position] ^ 0x04);
    write_file(file, position % 2 == 0 ? bytes : whole.substr(0, position));
    const auto read = damaged.store().artifact(artifact.hash);
    REQUIRE(read.ok());
    CHECK_FALSE(read->has_value());
    CHECK_FALSE(std::filesystem::exists(file));
    CHECK(damaged.store().health().damaged_artifacts == ++count);
  }
  REQUIRE(damaged.store().put_artifact(artifact).ok());
  CHECK((*damaged.store().artifact(artifact.hash))->bytes == whole);
  std::filesystem::remove(file);
  std::filesystem::create_symlink("/etc/hostname", file);
  CHECK_FALSE(damaged.store().artifact(artifact.hash)->has_value());
}

}  // namespace
}  // namespace kiln::db::testing
