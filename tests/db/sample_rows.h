// Rows with every field set, told apart by a number.

#pragma once

#include <string>

#include "core/key.h"
#include "db/store.h"

namespace kiln::db::testing {

inline ProblemRef sample_problem(int n) {
  const std::string number = std::to_string(n);
  return {"addition", std::string("key\0", 4) + number, "exact" + number, "statics",
          "addition n=" + number};
}

inline Artifact sample_artifact(int n) {
  Artifact artifact;
  artifact.bytes = "code " + std::to_string(n) + std::string(1000, char('a' + n % 26));
  artifact.hash = digest(artifact.bytes);
  artifact.target_kind = "host";
  artifact.architecture = "avx2";
  artifact.code_identity = "identity";
  artifact.toolchain = "clang 19.1.7";
  return artifact;
}

inline Measurement sample_measurement(int n) {
  Measurement m;
  m.config = Config({{"block", n}, {"alpha", -1}});
  m.verdict = n % 5 == 4 ? Verdict::kWrong : Verdict::kOk;
  m.diagnostics = "line one\nline \"two\" \xc3\xa9";
  m.timing = {1e6 + n, 9e5, 9.5e5, 1.1e6, 9.9e5, 1.01e6, 17, 0.93, 0.5 + 1.0 / 3, true};
  m.verification = {2, 10, 100, 0.25, 1e-7, "addition n=8"};
  m.cache = n % 2 == 0 ? CachePolicy::kCold : CachePolicy::kWarm;
  m.compile_ms = 165.5;
  m.artifact_hash = sample_artifact(n).hash;
  m.code_identity = "identity";
  m.toolchain = "clang 19.1.7";
  m.unix_ns = 1'700'000'000'000'000'000 + n;
  return m;
}

inline MeasurementRow sample_measurement_row(int n, int problem = 1) {
  return {0, 7, sample_problem(problem), "host/x86_64/avx2/2/model", sample_measurement(n)};
}

inline WinnerRow sample_winner(int n) {
  WinnerRow row;
  row.problem = sample_problem(n);
  row.fingerprint = "host/x86_64/avx2/2/model";
  row.measurement = sample_measurement(n);
  row.measurement.verdict = Verdict::kOk;
  row.baseline = sample_measurement(n + 1);
  row.plan_json = "{\"version\":1}";
  row.space_version = 3;
  row.schema_version = 1;
  row.evaluations = 42;
  row.created_unix_ns = 1'700'000'000'000'000'000 + n;
  return row;
}

inline JobRow sample_job(int n, const std::string& request_id = "") {
  JobRow row;
  row.request_id = request_id;
  row.problem = sample_problem(n);
  row.device = "host";
  row.fingerprint = "host/x86_64/avx2/2/model";
  row.options_json = "{}";
  row.created_unix_ns = 1'700'000'000'000'000'000 + n;
  return row;
}

inline bool same(const ProblemRef& a, const ProblemRef& b) {
  return a.family == b.family && a.problem_key == b.problem_key && a.exact_key == b.exact_key &&
         a.statics_key == b.statics_key && a.text == b.text;
}

}  // namespace kiln::db::testing
