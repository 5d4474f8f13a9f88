#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "db/sqlite/state_directory.h"
#include "tests/db/damaged_store.h"

namespace kiln::db::testing {
namespace {

TEST_CASE("a second process is refused with the holder's pid") {
  const kiln::testing::ScratchDirectory scratch;
  int ready[2], done[2];
  REQUIRE(::pipe(ready) == 0);
  REQUIRE(::pipe(done) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    auto store = open_sqlite({scratch.path()});
    char byte = store.ok() ? 'y' : 'n';
    if (::write(ready[1], &byte, 1) != 1) ::_exit(1);
    ::close(done[1]);
    [[maybe_unused]] const ssize_t ended = ::read(done[0], &byte, 1);
    ::_exit(0);  // as a crash would: the lock is not given back by hand
  }
  char byte = 0;
  REQUIRE(::read(ready[0], &byte, 1) == 1);
  REQUIRE(byte == 'y');
  const auto refused = open_sqlite({scratch.path()});
  CHECK(absl::IsFailedPrecondition(refused.status()));
  CHECK_THAT(std::string(refused.status().message()),
             Catch::Contains("process " + std::to_string(child)));
  ::kill(child, SIGKILL);
  for (int descriptor : {ready[0], ready[1], done[0], done[1]})
    ::close(descriptor);
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  CHECK(open_sqlite({scratch.path()}).ok());  // what it left behind does not hold
}

TEST_CASE("a lock file of a process that is gone does not hold") {
  const kiln::testing::ScratchDirectory scratch;
  write_file(scratch / "kiln.lock", "1\n");  // alive, but not holding
  CHECK(open_sqlite({scratch.path()}).ok());
}

TEST_CASE("one process cannot open a directory twice") {
  const kiln::testing::ScratchDirectory scratch;
  const auto first = open_sqlite({scratch.path()});
  REQUIRE(first.ok());
  CHECK(absl::IsFailedPrecondition(open_sqlite({scratch.path()}).status()));
}

TEST_CASE("network file systems are known by their number") {
  CHECK(network_file_system(0x6969) == "NFS");
  CHECK(network_file_system(int32_t(0xff534d42)) == "CIFS");  // as a signed word
  CHECK_FALSE(network_file_system(0xef53).has_value());       // ext4
  CHECK_FALSE(network_file_system(0x01021994).has_value());   // tmpfs
}

TEST_CASE("a state directory that cannot be is refused with its name") {
  const kiln::testing::ScratchDirectory scratch;
  write_file(scratch / "file", "");
  for (const std::string& path : {scratch / "file", scratch / "file/below"}) {
    const auto refused = open_sqlite({path});
    REQUIRE_FALSE(refused.ok());
    CHECK_THAT(std::string(refused.status().message()), Catch::Contains(scratch / "file"));
  }
  CHECK(absl::IsInvalidArgument(open_sqlite({""}).status()));
  CHECK(open_sqlite({scratch / "made/with/parents"}).ok());
}

}  // namespace
}  // namespace kiln::db::testing
