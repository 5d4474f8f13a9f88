#include "db/sqlite/quarantine.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <limits>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "db/sqlite/tables.h"

namespace kiln::db {
namespace {

constexpr int64_t kBatch = 256;

struct Progress {
  int64_t position = 0;   // id of the last row read
  bool complete = false;  // the end was reached, not damage
};

// Reads a table in one direction from `position` on, until its end or the first damage.
template <class Read, class Keep>
StatusOr<Progress> carry_over(int64_t position, Read read, Keep keep) {
  for (int64_t limit = kBatch;;) {
    auto rows = read(Page{position, limit});
    if (!rows.ok()) {
      if (limit == 1) return Progress{position, false};
      limit = 1;  // rows in front of the damage are read one by one
      continue;
    }
    if (rows->empty()) return Progress{position, true};
    for (const auto& row : *rows) {
      position = row.id;
      KILN_RETURN_IF_ERROR(keep(row));
    }
  }
}

// From both ends when there is damage, so that only what lies around it is lost.
template <class Read, class Insert>
Status salvage_table(Tables damaged, Connection& fresh, Read read, Insert insert, int64_t& kept) {
  const auto keep = [&](const auto& row) -> Status {
    const auto id = insert(fresh, row);
    if (id.ok()) ++kept;
    return absl::IsAlreadyExists(id.status()) ? absl::OkStatus() : id.status();
  };
  KILN_ASSIGN_OR_RETURN(
      const Progress upwards,
      carry_over(0, [&](const Page& page) { return read(damaged, page, false); }, keep));
  if (upwards.complete) return absl::OkStatus();
  const auto downwards = [&](const Page& page) {
    auto rows = read(damaged, page, true);
    if (rows.ok())
      std::erase_if(*rows, [&](const auto& row) { return row.id <= upwards.position; });
    return rows;
  };
  return carry_over(std::numeric_limits<int64_t>::max(), downwards, keep).status();
}

Status salvage_artifacts(Tables damaged, Connection& fresh, int64_t& kept) {
  std::vector<std::string> hashes;
  {
    Statement row = damaged.connection.prepare("SELECT hash FROM artifact");
    while (row.next())
      hashes.push_back(row.text(0));
  }
  for (const std::string& hash : hashes) {
    auto row = read_artifact(damaged, hash);
    if (!row.ok() || !row->has_value()) continue;
    KILN_RETURN_IF_ERROR(insert_artifact(fresh, (*row)->artifact, (*row)->size, 0));
    ++kept;
  }
  return absl::OkStatus();
}

}  // namespace

StatusOr<std::string> set_aside(const std::string& path) {
  const std::string base = fmt::format(
      "{}.corrupt-{}", path, absl::FormatTime("%Y%m%dT%H%M%SZ", absl::Now(), absl::UTCTimeZone()));
  std::string target = base;
  std::error_code error;
  for (int n = 2; std::filesystem::exists(target, error); ++n)
    target = fmt::format("{}-{}", base, n);
  // SQLite finds a database's log by its name, so the three keep their endings. The database goes
  // last: a kill in between leaves a database without its log, which is set aside next time.
  for (const char* ending : {"-shm", "-wal", ""}) {
    if (std::rename((path + ending).c_str(), (target + ending).c_str()) != 0 && errno != ENOENT) {
      return absl::ErrnoToStatus(errno, fmt::format("cannot set aside {}{}", path, ending));
    }
  }
  return target;
}

StatusOr<int64_t> salvage(const std::string& damaged_path, Connection& fresh,
                          std::atomic<int64_t>& lost) {
  int64_t kept = 0;
  auto damaged = Connection::open(damaged_path, Connection::Mode::kRead);
  if (!damaged.ok()) return 0;
  const Tables tables{**damaged, lost};
  Transaction transaction(fresh);
  KILN_RETURN_IF_ERROR(transaction.begun());
  KILN_RETURN_IF_ERROR(salvage_artifacts(tables, fresh, kept));
  KILN_RETURN_IF_ERROR(salvage_table(tables, fresh, read_all_winners, insert_winner, kept));
  KILN_RETURN_IF_ERROR(salvage_table(tables, fresh, read_all_jobs, insert_job, kept));
  KILN_RETURN_IF_ERROR(
      salvage_table(tables, fresh, read_all_measurements, insert_measurement, kept));
  KILN_RETURN_IF_ERROR(transaction.commit());
  return kept;
}

}  // namespace kiln::db
