// Verbs for tests of damage: build a store, harm its files, open it again and check that whatever
// it still tells is true.

#pragma once

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>

#include "db/measurement_json.h"
#include "tests/db/sample_rows.h"
#include "tests/support/scratch_directory.h"

namespace kiln::db::testing {

inline constexpr const char* kDevice = "host/x86_64/avx2/2/model";

inline std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

class DamagedStore {
 public:
  static constexpr int kRows = 60;

  std::string path(const std::string& name = "kiln.db") const { return scratch_ / name; }
  Store& store() { return *store_; }

  void build() {
    must_open();
    for (int n = 0; n < kRows; ++n) {
      auto id = store_->add_measurement(sample_measurement_row(n, n % 7));
      REQUIRE(id.ok());
      measurements_[*id] = n;
      if (n % 3 != 0) continue;
      id = store_->put_winner(sample_winner(n));
      REQUIRE(id.ok());
      winners_[*id] = n;
      const auto job = store_->create_job(sample_job(n, "request " + std::to_string(n)));
      REQUIRE(job.ok());
      jobs_[job->id] = n;
    }
  }
  void close() { store_.reset(); }

  Status open() {
    store_.reset();
    auto opened = open_sqlite({scratch_.path()});
    if (!opened.ok()) return opened.status();
    store_ = *std::move(opened);
    return absl::OkStatus();
  }
  void must_open() {
    const Status status = open();
    INFO(status);
    REQUIRE(status.ok());
  }

  // Removes what a previous round of damage left.
  void clear() {
    store_.reset();
    for (const auto& entry : std::filesystem::directory_iterator(scratch_.path())) {
      if (entry.is_regular_file()) std::filesystem::remove(entry);
    }
  }

  // Every row that is told is one that was written, whole. Returns how many there are.
  size_t check_truth() {
    size_t found = 0;
    for (int problem = 0; problem < 7; ++problem) {
      const auto rows = store_->measurements(sample_problem(problem), kDevice, {0, 1000});
      if (!rows.ok()) continue;
      for (const MeasurementRow& row : *rows) {
        ++found;
        REQUIRE(measurements_.contains(row.id));
        const int n = measurements_[row.id];
        CHECK(n % 7 == problem);
        CHECK(same(row.problem, sample_problem(problem)));
        CHECK(to_json(row.measurement) == to_json(sample_measurement(n)));
      }
    }
    for (int n = 0; n < kRows; n += 3) {
      const auto row = store_->find_winner(sample_problem(n).problem_key, kDevice);
      if (!row.ok() || !row->has_value()) continue;
      ++found;
      CHECK(winners_[(*row)->id] == n);
      CHECK(to_json((*row)->measurement) == to_json(sample_winner(n).measurement));
      CHECK((*row)->plan_json == sample_winner(n).plan_json);
    }
    const auto jobs = store_->jobs({}, {0, 1000});
    if (jobs.ok()) {
      for (const JobRow& job : *jobs) {
        ++found;
        REQUIRE(jobs_.contains(job.id));
        CHECK(job.request_id == "request " + std::to_string(jobs_[job.id]));
      }
    }
    return found;
  }
  size_t written() const { return measurements_.size() + winners_.size() + jobs_.size(); }

 private:
  kiln::testing::ScratchDirectory scratch_;
  std::unique_ptr<Store> store_;
  std::map<int64_t, int> measurements_, winners_, jobs_;  // id to sample number
};

}  // namespace kiln::db::testing
