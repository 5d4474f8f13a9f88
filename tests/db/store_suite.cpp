#include "tests/db/store_suite.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <thread>

#include "db/measurement_json.h"
#include "tests/db/sample_rows.h"
#include "tests/support/scratch_directory.h"

namespace kiln::db::testing {
namespace {

constexpr const char* kDevice = "host/x86_64/avx2/2/model";

std::unique_ptr<Store> must_open(const OpenStore& open, const std::string& directory) {
  auto store = open(directory);
  INFO(store.status());
  REQUIRE(store.ok());
  return *std::move(store);
}

}  // namespace

void keeps_measurements(const OpenStore& open) {
  const kiln::testing::ScratchDirectory scratch;
  auto store = must_open(open, scratch.path());
  for (int n = 0; n < 10; ++n)
    REQUIRE(store->add_measurement(sample_measurement_row(n)).ok());
  REQUIRE(store->add_measurement(sample_measurement_row(99, 2)).ok());
  store.reset();
  store = must_open(open, scratch.path());

  const auto first = store->measurements(sample_problem(1), kDevice, {0, 6});
  REQUIRE(first.ok());
  REQUIRE(first->size() == 6);
  const auto rest = store->measurements(sample_problem(1), kDevice, {first->back().id, 100});
  REQUIRE(rest.ok());
  REQUIRE(rest->size() == 4);
  for (int n = 0; n < 6; ++n) {
    const MeasurementRow& row = (*first)[size_t(n)];
    CHECK(to_json(row.measurement) == to_json(sample_measurement(n)));
    CHECK(same(row.problem, sample_problem(1)));
    CHECK(row.fingerprint == kDevice);
    CHECK(row.job_id == 7);
  }
  CHECK(store->measurements(sample_problem(1), "host/other", {})->empty());
  ProblemRef by_key;
  by_key.problem_key = sample_problem(2).problem_key;
  CHECK(store->measurements(by_key, kDevice, {})->size() == 1);
}

void keeps_doubles_exactly(const OpenStore& open) {
  const kiln::testing::ScratchDirectory scratch;
  auto store = must_open(open, scratch.path());
  MeasurementRow row = sample_measurement_row(1);
  row.measurement.timing.median_ns = std::nextafter(1.0, 2.0);
  row.measurement.timing.minimum_ns = std::numeric_limits<double>::denorm_min();
  row.measurement.verification.worst_error = std::numeric_limits<double>::infinity();
  row.measurement.verification.worst_absolute = std::numeric_limits<double>::quiet_NaN();
  row.measurement.diagnostics = "not utf-8: \xff";
  REQUIRE(store->add_measurement(row).ok());
  const auto rows = store->measurements(row.problem, kDevice, {});
  REQUIRE(rows.ok());
  REQUIRE(rows->size() == 1);
  const Measurement& read = rows->front().measurement;
  CHECK(read.timing.median_ns == row.measurement.timing.median_ns);
  CHECK(read.timing.minimum_ns == row.measurement.timing.minimum_ns);
  CHECK(std::isinf(read.verification.worst_error));
  CHECK(std::isnan(read.verification.worst_absolute));
  CHECK(read.diagnostics == "not utf-8: \xef\xbf\xbd");
}

void replaces_winners(const OpenStore& open) {
  const kiln::testing::ScratchDirectory scratch;
  auto store = must_open(open, scratch.path());
  CHECK_FALSE(store->find_winner(sample_problem(1).problem_key, kDevice)->has_value());
  const auto old_id = store->put_winner(sample_winner(1));
  REQUIRE(old_id.ok());
  WinnerRow better = sample_winner(1);
  better.evaluations = 43;
  better.baseline.reset();
  const auto new_id = store->put_winner(better);
  REQUIRE(new_id.ok());
  CHECK(*new_id != *old_id);

  const auto found = store->find_winner(better.problem.problem_key, kDevice);
  REQUIRE(found.ok());
  REQUIRE(found->has_value());
  CHECK((*found)->id == *new_id);
  CHECK((*found)->evaluations == 43);
  CHECK_FALSE((*found)->baseline.has_value());
  CHECK(store->winners({}, {})->size() == 1);
  CHECK(store->winner(*old_id)->evaluations == 42);  // for those who pinned it

  CHECK(store->delete_winner(*new_id).ok());
  CHECK(absl::IsNotFound(store->delete_winner(*new_id)));
  CHECK(absl::IsNotFound(store->winner(*new_id).status()));
  CHECK_FALSE(store->find_winner(better.problem.problem_key, kDevice)->has_value());
}

void filters_and_pages_winners(const OpenStore& open) {
  const kiln::testing::ScratchDirectory scratch;
  auto store = must_open(open, scratch.path());
  for (int n = 0; n < 20; ++n) {
    WinnerRow row = sample_winner(n);
    if (n % 2 == 1) row.problem.statics_key = "others";
    if (n >= 10) row.fingerprint = "host/x86_64/avx512/2/model";
    REQUIRE(store->put_winner(row).ok());
  }
  CHECK(store->winners({.statics_key = "others"}, {})->size() == 10);
  CHECK(store->winners({.fingerprint = kDevice, .statics_key = "others"}, {})->size() == 5);
  CHECK(store->winners({.family = "addition"}, {})->size() == 20);
  CHECK(store->winners({.family = "none' OR '1'='1"}, {})->empty());
  CHECK(store->winners({.problem_key = sample_problem(3).problem_key}, {})->size() == 1);
  int64_t after = 0;
  size_t seen = 0;
  for (;;) {
    const auto page = store->winners({}, {after, 7});
    REQUIRE(page.ok());
    if (page->empty()) break;
    for (const WinnerRow& row : *page)
      CHECK(row.id > std::exchange(after, row.id));
    seen += page->size();
  }
  CHECK(seen == 20);
}

void creates_jobs_once(const OpenStore& open) {
  const kiln::testing::ScratchDirectory scratch;
  auto store = must_open(open, scratch.path());
  auto job = store->create_job(sample_job(1, "request"));
  REQUIRE(job.ok());
  const auto again = store->create_job(sample_job(2, "request"));
  REQUIRE(again.ok());
  CHECK(again->id == job->id);
  CHECK(same(again->problem, sample_problem(1)));
  CHECK(store->create_job(sample_job(3))->id != store->create_job(sample_job(3))->id);

  job->state = JobState::kSucceeded;
  job->winner_id = 5;
  job->evaluations = 9;
  job->finished_unix_ns = 11;
  job->options_json = "{\"seed\":2}";
  job->device = "never changes";
  REQUIRE(store->update_job(*job).ok());
  JobRow unknown = *job;
  unknown.id = 1000;
  CHECK(absl::IsNotFound(store->update_job(unknown)));
  store.reset();
  store = must_open(open, scratch.path());
  const auto read = store->job(job->id);
  REQUIRE(read.ok());
  CHECK(read->state == JobState::kSucceeded);
  CHECK(read->winner_id == 5);
  CHECK(read->options_json == "{\"seed\":2}");
  CHECK(read->device == "host");
  CHECK(store->jobs({JobState::kQueued}, {})->size() == 2);
  CHECK(store->jobs({JobState::kQueued, JobState::kSucceeded}, {})->size() == 3);
  CHECK(store->jobs({}, {0, 1})->size() == 1);
  CHECK(absl::IsNotFound(store->job(1000).status()));
}

void keeps_artifacts(const OpenStore& open) {
  const kiln::testing::ScratchDirectory scratch;
  auto store = must_open(open, scratch.path());
  const Artifact artifact = sample_artifact(1);
  REQUIRE(store->put_artifact(artifact).ok());
  REQUIRE(store->put_artifact(artifact).ok());
  store.reset();
  store = must_open(open, scratch.path());
  const auto read = store->artifact(artifact.hash);
  REQUIRE(read.ok());
  REQUIRE(read->has_value());
  CHECK((*read)->bytes == artifact.bytes);
  CHECK((*read)->architecture == "avx2");
  CHECK((*read)->toolchain == artifact.toolchain);
  CHECK_FALSE(store->artifact(sample_artifact(2).hash)->has_value());
  for (const char* name : {"", "..", "../kiln.db", "/etc/passwd", "ABCDEF"}) {
    CHECK_FALSE(store->artifact(name)->has_value());
  }
  Artifact wrong = sample_artifact(3);
  wrong.bytes += "x";
  CHECK(absl::IsInvalidArgument(store->put_artifact(wrong)));
  wrong.hash = "../../escape";
  CHECK(absl::IsInvalidArgument(store->put_artifact(wrong)));
}

void collects_garbage(const OpenStore& open) {
  const kiln::testing::ScratchDirectory scratch;
  auto store = must_open(open, scratch.path());
  for (int n = 0; n < 6; ++n) {
    REQUIRE(store->put_artifact(sample_artifact(n)).ok());
    REQUIRE(store->add_measurement(sample_measurement_row(n, 2)).ok());
  }
  REQUIRE(store->put_winner(sample_winner(2)).ok());               // of problem 2, with artifact 2
  REQUIRE(store->artifact(sample_artifact(0).hash)->has_value());  // used last

  const int64_t size = int64_t(sample_artifact(0).bytes.size());
  const auto report = store->gc({.artifact_bytes = 2 * size, .measurements = 3});
  REQUIRE(report.ok());
  CHECK(report->artifacts_removed == 4);
  CHECK(report->bytes_removed == 4 * size);
  CHECK(report->measurements_removed == 3);
  CHECK(store->artifact(sample_artifact(2).hash)->has_value());
  CHECK(store->artifact(sample_artifact(0).hash)->has_value());
  CHECK_FALSE(store->artifact(sample_artifact(5).hash)->has_value());
  const auto kept = store->measurements(sample_problem(2), kDevice, {});
  REQUIRE(kept->size() == 3);
  CHECK(kept->front().measurement.config.at("block") == 2);  // the winner's own, though old
}

void serves_many_threads(const OpenStore& open) {
  const kiln::testing::ScratchDirectory scratch;
  auto store = must_open(open, scratch.path());
  std::vector<std::jthread> threads;
  std::atomic<int> failures = 0;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int n = 0; n < 25; ++n) {
        failures += !store->add_measurement(sample_measurement_row(n, t)).ok();
        failures += !store->measurements(sample_problem(t), kDevice, {}).ok();
        if (n % 5 == 0) failures += !store->put_winner(sample_winner(n)).ok();
        failures += !store->winners({}, {}).ok();
        failures += !store->create_job(sample_job(t, "request" + std::to_string(n))).ok();
      }
    });
  }
  threads.clear();
  CHECK(failures == 0);
  CHECK(store->jobs({}, {0, 1000})->size() == 25);
  CHECK(store->winners({}, {})->size() == 5);
  for (int t = 0; t < 8; ++t) {
    CHECK(store->measurements(sample_problem(t), kDevice, {})->size() == 25);
  }
}

}  // namespace kiln::db::testing
