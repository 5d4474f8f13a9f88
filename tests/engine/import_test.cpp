#include "engine/import.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "engine/import_reader.h"
#include "tests/engine/engine_fixture.h"

namespace kiln::engine::testing {
namespace {

using nlohmann::json;

constexpr const char* kElsewhere = "cuda/sm_90/sm_90a/132/NVIDIA H100";

// A document of one entry that is right; tests spoil it.
json document(const std::string& fingerprint = kElsewhere, Behaviour behaviour = Behaviour::kFast) {
  const json measured = {{"config", {{"behaviour", int(behaviour)}}},
                         {"config_text", "behaviour=…"},
                         {"timing",
                          {{"median_ns", 1000.5},
                           {"minimum_ns", 900},
                           {"p10_ns", 950},
                           {"p90_ns", 1100},
                           {"median_low_ns", 990},
                           {"median_high_ns", "inf"},
                           {"samples", 30},
                           {"probe_ratio", 0.9},
                           {"peak_fraction", 0.5},
                           {"noisy", false}}},
                         {"verification",
                          {{"seeds", 2},
                           {"units", 10},
                           {"units_total", 10},
                           {"worst_error", 0.5},
                           {"worst_absolute", 1e-6},
                           {"problem", "trial n=1000"}}},
                         {"cache", "warm"},
                         {"compile_ms", 12.5},
                         {"artifact_hash", "aa"},
                         {"code_identity", "bb"},
                         {"toolchain", "NVRTC 12.6"},
                         {"measured_at", "2026-01-31T12:00:00Z"}};
  return {{"schema", "kiln.export.v1"},
          {"winners",
           {{{"device", {{"fingerprint", fingerprint}}},
             {"family", "trial"},
             {"problem", {{"n", 1000}, {"scale", 2.0}, {"tag", 0}}},
             {"problem_text", "n=1000"},
             {"winner", measured},
             {"baseline", nullptr},
             {"evaluations", 42},
             {"schema_version", 1},
             {"space_version", 1},
             {"tuned_at", "2026-01-31T12:00:00Z"}}}}};
}

struct Reading {
  TrialFamily family{{Behaviour::kSlow, Behaviour::kFast}};
  Catalogue catalogue{{&family}, {}};

  std::string fault(const json& document) {
    return std::string(read_import(document.dump(), catalogue).status().message());
  }
  // The fault of the document with one member replaced.
  std::string fault(const std::string& pointer, const json& value) {
    json spoiled = document();
    spoiled[json::json_pointer(pointer)] = value;
    return fault(spoiled);
  }
};

TEST_CASE_METHOD(Reading, "a document's winner and baseline become measurements of its device") {
  json whole = document();
  whole["winners"][0]["baseline"] = whole["winners"][0]["winner"];
  const auto rows = read_import(whole.dump(), catalogue);
  INFO(rows.status());
  REQUIRE(rows.ok());
  REQUIRE(rows->size() == 2);
  const db::MeasurementRow& row = rows->front();
  CHECK(row.job_id == db::kImported);
  CHECK(row.fingerprint == kElsewhere);
  CHECK(row.problem.exact_key == reference_to(family.problem(1000)).exact_key);
  CHECK(row.measurement.config == TrialFamily::config(Behaviour::kFast));
  CHECK(row.measurement.timing.median_ns == 1000.5);
  CHECK(row.measurement.cache == CachePolicy::kWarm);
  CHECK(row.measurement.unix_ns == 1769860800'000'000'000);

  // A report of the self-test holds the same.
  const json report = {{"schema", "kiln.selftest.v1"}, {"export", document()}, {"other", 1}};
  CHECK(read_import(report.dump(), catalogue)->size() == 1);
}

TEST_CASE_METHOD(Reading, "a fault is named with entry, field, value and what was expected") {
  const std::string entry = "/winners/0";
  CHECK(fault(entry + "/winner/timing/median_ns", -1) ==
        "winners[0].winner.timing.median_ns = -1: expected a number between 0.001 and 1e+18");
  CHECK(fault(entry + "/problem/n", 0).starts_with("winners[0].problem: n = 0: expected"));
  CHECK(fault(entry + "/problem/tag", 13) ==
        "winners[0].problem: tag = 13: expected a luckier number");
  CHECK(fault(entry + "/problem", nullptr).starts_with("winners[0].problem = null: expected"));
  CHECK(fault(entry + "/device/fingerprint", "H100")
            .starts_with("winners[0].device.fingerprint = H100: expected kind/"));
  CHECK(fault(entry + "/family", "unknown").starts_with("winners[0]: family = unknown: expected"));
  CHECK(fault(entry + "/schema_version", 2)
            .starts_with("winners[0].schema_version = 2: expected an integer between 1 and 1"));
}

// Every member of a right document, replaced by things that it must not be, and left out.
TEST_CASE_METHOD(Reading, "no member is taken unchecked, and none may be missing") {
  const json flat = document().flatten();
  for (const auto& [pointer, value] : flat.items()) {
    if (pointer.ends_with("_text") || pointer.ends_with("/baseline")) continue;  // passed over
    for (const json& wrong : {json(json::array()), json("\x01"), json(-1e300), json(nullptr)}) {
      if (value.is_string() && wrong.is_string() && !pointer.ends_with("_at")) continue;
      INFO(pointer << " = " << wrong);
      CHECK_FALSE(fault(pointer, wrong).empty());
    }
    const json::json_pointer place(pointer), above = place.parent_pointer();
    const std::string parent = above.empty() ? "" : above.back();
    // A field of a problem may have a default, and spaces differ in their parameters.
    if (parent == "config" || (parent == "problem" && place.back() != "n")) continue;
    json without = document();
    without[above].erase(place.back());
    INFO("without " << pointer);
    CHECK_FALSE(fault(without).empty());
  }
}

TEST_CASE_METHOD(Reading, "other documents, and those of a newer version, are refused") {
  CHECK_FALSE(read_import("", catalogue).ok());
  CHECK_FALSE(read_import("[1, 2", catalogue).ok());
  CHECK_FALSE(read_import("3", catalogue).ok());
  CHECK_FALSE(read_import(std::string(1'000'000, '['), catalogue).ok());
  CHECK_FALSE(read_import(std::string(kMaxImportBytes + 1, ' '), catalogue).ok());
  CHECK(fault("/schema", "kiln.export.v2").find("a newer Kiln wrote this") != std::string::npos);
  CHECK(fault("/schema", "kiln.plan.v1").find("expected kiln.export.v1") != std::string::npos);
  CHECK(fault({{"schema", "kiln.selftest.v3"}, {"export", document()}}).find("a newer Kiln") !=
        std::string::npos);
  // A document that cannot be cut anywhere without being refused.
  const std::string whole = document().dump();
  for (size_t length = 0; length < whole.size(); ++length) {
    CHECK_FALSE(read_import(whole.substr(0, length), catalogue).ok());
  }
}

TEST_CASE("what was imported is tried first, measured anew, and not served before") {
  EngineFixture fixture({Behaviour::kSlow, Behaviour::kSlower, Behaviour::kFast});
  fixture.open();
  const Problem problem = fixture.problem(1000);
  const std::string here = fixture.engine->devices().front().fingerprint.text();
  // It claims that the slowest is the fastest there is.
  json claimed = document(here, Behaviour::kSlower);
  claimed["winners"][0]["winner"]["timing"]["minimum_ns"] = 0.5;
  claimed["winners"][0]["winner"]["timing"]["p10_ns"] = 0.5;
  claimed["winners"][0]["winner"]["timing"]["median_low_ns"] = 0.4;
  claimed["winners"][0]["winner"]["timing"]["median_ns"] = 0.5;
  const auto report = fixture.engine->import_json(claimed.dump());
  INFO(report.status());
  REQUIRE(report.ok());
  CHECK(report->added == 1);
  CHECK(report->fingerprints == std::vector<std::string>{here});

  CHECK_FALSE(fixture.finds(problem, {.stand_in = Policy::StandIn::kNone}));
  CHECK(behaviour_of(fixture.get(problem)) == Behaviour::kSlow);

  TuneRequest two = fixture.request();
  two.options.budget.evaluations = 2;  // the default and what was imported
  const JobView done = fixture.await(fixture.start(problem, two).row.id);
  REQUIRE(done.row.state == db::JobState::kSucceeded);
  const auto winner = fixture.engine->winner(done.row.winner_id);
  const auto measured = fixture.engine->measurements(*winner, {.after = 0, .limit = 100});
  bool anew = false;
  for (const db::MeasurementRow& row : *measured) {
    anew |= row.job_id == done.row.id &&
            row.measurement.config == TrialFamily::config(Behaviour::kSlower);
  }
  CHECK(anew);
  CHECK(TrialFamily::behaviour(winner->measurement.config) == Behaviour::kSlow);
}

TEST_CASE("importing again adds nothing, nor do two at once, nor an engine's own export") {
  EngineFixture fixture;
  fixture.open();
  const std::string text = document().dump();
  std::atomic<int64_t> added = 0, known = 0;
  {
    std::vector<std::jthread> two;
    for (int i = 0; i < 2; ++i) {
      two.emplace_back([&] {
        const auto report = fixture.engine->import_json(text);
        added += report->added;
        known += report->known;
      });
    }
  }
  CHECK(added == 1);
  CHECK(known == 1);
  fixture.open();
  CHECK(fixture.engine->import_json(text)->added == 0);

  fixture.tune(fixture.problem(1000));
  const auto own = fixture.engine->import_json(*fixture.engine->export_json({}));
  INFO(own.status());
  REQUIRE(own.ok());
  CHECK(own->added == 0);
  CHECK(own->known == 2);

  // A document with a fault in its second entry changes nothing; a full disk is told.
  json half = document("cuda/sm_90/sm_90a/132/another");
  half["winners"].push_back(half["winners"][0]);
  half["winners"][1]["evaluations"] = -1;
  CHECK(absl::IsInvalidArgument(fixture.engine->import_json(half.dump()).status()));
  half["winners"].erase(1);
  *fixture.disk_full = true;
  CHECK(absl::IsResourceExhausted(fixture.engine->import_json(half.dump()).status()));
  *fixture.disk_full = false;
  CHECK(fixture.engine->import_json(half.dump())->added == 1);
}

}  // namespace
}  // namespace kiln::engine::testing
