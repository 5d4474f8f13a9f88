#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "tests/db/damaged_store.h"

namespace kiln::db::testing {
namespace {

// Files of this process cannot grow beyond `bytes` while it lives.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    ::signal(SIGXFSZ, handler_);
  }

 private:
  void (*handler_)(int);
  rlimit before_{};
};

// A small file system of its own; absent where this user may not mount.
class SmallDisk {
 public:
  explicit SmallDisk(const std::string& directory) : directory_(directory) {
    ::mkdir(directory.c_str(), S_IRWXU);
    mounted_ = ::mount("tmpfs", directory.c_str(), "tmpfs", 0, "size=1m,mode=0700") == 0;
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(directory_.c_str(), MNT_DETACH);
  }
  bool mounted() const { return mounted_; }
  bool remount(bool read_only) {
    return ::mount("tmpfs", directory_.c_str(), "tmpfs", MS_REMOUNT | (read_only ? MS_RDONLY : 0),
                   "size=1m") == 0;
  }

 private:
  std::string directory_;
  bool mounted_ = false;
};

int count_files(const std::string& directory) {
  int count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(directory))
    ++count;
  return count;
}

TEST_CASE("at a file size limit the store goes on reading, and writes again afterwards") {
  DamagedStore store;
  store.build();
  {
    const FileSizeLimit limit(1000);  // below what the log has already
    const auto refused = store.store().add_measurement(sample_measurement_row(5));
    INFO(refused.status());
    CHECK(absl::IsResourceExhausted(refused.status()));
    CHECK(absl::IsResourceExhausted(store.store().put_winner(sample_winner(3)).status()));
    CHECK(absl::IsResourceExhausted(store.store().create_job(sample_job(1)).status()));
    Artifact large = sample_artifact(1);
    large.bytes += std::string(5000, 'x');
    large.hash = digest(large.bytes);
    CHECK(absl::IsResourceExhausted(store.store().put_artifact(large)));
    CHECK(count_files(store.path("artifacts")) == 0);
    CHECK(store.check_truth() == store.written());
    CHECK(store.store().health().failed_writes == 4);
  }
  CHECK(store.store().put_winner(sample_winner(3)).ok());
  CHECK(store.store().put_artifact(sample_artifact(1)).ok());
  CHECK(store.store().health().quarantined.empty());
}

TEST_CASE("on a full disk the store goes on reading, and writes again afterwards") {
  const kiln::testing::ScratchDirectory scratch;
  const SmallDisk disk(scratch / "disk");
  if (!disk.mounted()) {
    WARN("skipped: this user may not mount a small file system");
    return;
  }
  auto opened = open_sqlite({scratch / "disk/state"});
  REQUIRE(opened.ok());
  Store& store = **opened;
  const auto winner = store.put_winner(sample_winner(1));
  REQUIRE(winner.ok());
  write_file(scratch / "disk/ballast", std::string(2 << 20, 'x'));
  Status refused;
  for (int n = 0; n < 1000 && refused.ok(); ++n) {
    refused = store.add_measurement(sample_measurement_row(n)).status();
  }
  CHECK(absl::IsResourceExhausted(refused));
  CHECK(absl::IsResourceExhausted(store.put_artifact(sample_artifact(1))));
  CHECK(count_files(scratch / "disk/state/artifacts") == 0);
  CHECK(store.winner(*winner).ok());
  std::filesystem::remove(scratch / "disk/ballast");
  CHECK(store.put_winner(sample_winner(2)).ok());
  CHECK(store.put_artifact(sample_artifact(1)).ok());
}

TEST_CASE("a read-only file system opens for reading and says why it cannot write") {
  const kiln::testing::ScratchDirectory scratch;
  SmallDisk disk(scratch / "disk");
  if (!disk.mounted()) {
    WARN("skipped: this user may not mount a small file system");
    return;
  }
  int64_t id = 0;
  {
    auto store = open_sqlite({scratch / "disk/state"});
    REQUIRE(store.ok());
    const auto winner = (*store)->put_winner(sample_winner(1));
    REQUIRE(winner.ok());
    id = *winner;
    REQUIRE((*store)->put_artifact(sample_artifact(1)).ok());
  }
  REQUIRE(disk.remount(true));
  auto store = open_sqlite({scratch / "disk/state"});
  INFO(store.status());
  REQUIRE(store.ok());
  CHECK((*store)->winner(id).ok());
  CHECK((*store)->artifact(sample_artifact(1).hash)->has_value());
  const auto refused = (*store)->put_winner(sample_winner(2));
  CHECK(absl::IsPermissionDenied(refused.status()));
  CHECK_THAT(std::string(refused.status().message()), Catch::Contains("for reading only"));
  CHECK((*store)->winner(id).ok());
  CHECK(absl::IsPermissionDenied(open_sqlite({scratch / "disk/new"}).status()));
  REQUIRE(disk.remount(false));
  CHECK((*store)->put_winner(sample_winner(2)).ok());  // writing resumes
}

}  // namespace
}  // namespace kiln::db::testing
