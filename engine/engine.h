// The service without a network: lookup, stand-ins, background tuning, jobs.
//
// An Engine is thread-safe. A lookup never waits for tuning unless it asks to. One job a problem
// runs, however many ask.

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/artifact.h"
#include "core/family.h"
#include "core/fingerprint.h"
#include "core/plan.h"
#include "core/problem.h"
#include "core/provenance.h"
#include "core/status.h"
#include "db/store.h"
#include "engine/import.h"
#include "tuner/tuner.h"

namespace kiln::engine {

enum class Background : uint8_t { kNever, kIdle, kAlways };

struct EngineOptions {
  std::string state_directory;  // database, artifacts, sources
  // Those whose driver is missing or silent are left out while others work.
  std::vector<std::string> devices = {"host"};
  std::string compiler;             // empty: found in PATH
  std::string worker_path;          // empty: beside this executable, then libexec
  std::string templates_directory;  // overrides embedded kernel sources; empty: none
  Background background = Background::kIdle;
  std::chrono::milliseconds background_budget{20'000};  // a problem
  int compile_processes = 0;
  double idle_load = 0.25;
  db::GcPolicy gc;  // applied when the engine opens and every fifty jobs
};

// What a caller of get_kernel accepts.
struct Policy {
  enum class Wait : uint8_t { kNone, kDeadline, kUntilTuned };
  enum class StandIn : uint8_t { kAny, kDefaultOnly, kNone };
  Wait wait = Wait::kNone;
  std::chrono::milliseconds deadline{0};  // with kDeadline; the best known is answered then
  StandIn stand_in = StandIn::kAny;
  bool frozen = false;        // never tunes, never compiles
  bool exact = false;         // only a winner measured on exactly this problem
  int64_t pinned_winner = 0;  // this winner or NOT_FOUND
};

struct KernelAnswer {
  // Null: nothing is known that the policy allows; of the rest only provenance.job_id, device and
  // fingerprint are set.
  std::shared_ptr<const Artifact> artifact;
  std::shared_ptr<const Plan> plan;
  Config config;
  std::shared_ptr<const Space> space;  // today's: names the config's values
  Provenance provenance;
  Cost cost;
  std::string device;
  std::string fingerprint;
};

struct TuneRequest {
  std::string request_id;  // empty: none
  std::string device = "host";
  tuner::TuneOptions options;  // `first` and `known` are filled in by the engine
  bool force = false;          // tune even when a fresh winner exists
};

struct JobView {
  db::JobRow row;
  tuner::Progress progress;  // of a running job; phase kDone afterwards
};

struct DeviceView {
  std::string name;
  Fingerprint fingerprint;
  Target target;
  std::string toolchain;  // or what is missing
  bool can_compile = false;
  std::optional<tuner::Tuner::Peaks> peaks;  // the best seen so far
  std::string unavailable;  // why it did not work when it was last used; empty: it did
};

struct Diagnosis {      // one line of `doctor`
  std::string subject;  // "compiler of the host device"
  bool ok = false;      // false: something is broken or missing
  std::string found;    // "clang 19.1.7 at /usr/bin/clang++-19"
  std::string remedy;   // what to do when not ok; with ok: a warning, what would be better
};

class Engine {
 public:
  // Opens the store, the devices, the workers; queues again what was running when the last process
  // ended. Works with devices that cannot compile: known winners are served.
  static StatusOr<std::unique_ptr<Engine>> open(const EngineOptions& options);
  virtual ~Engine() = default;  // stops jobs (they are queued again at the next open)

  virtual std::vector<const Family*> families() const = 0;
  virtual StatusOr<const Family*> family(
      std::string_view name) const = 0;  // NOT_FOUND + known names
  // Schema check, contradictions, and buffers against the device's memory.
  virtual StatusOr<Problem> problem(
      std::string_view family, const std::vector<std::pair<std::string, Value>>& fields) const = 0;

  // A number that changes after each change of what get_kernel() may answer, so that callers can
  // keep answers. 0: not known, ask each time.
  virtual uint64_t generation() const { return 0; }

  virtual StatusOr<KernelAnswer> get_kernel(const Problem& problem, const std::string& device,
                                            const Policy& policy, std::stop_token stop) = 0;

  virtual StatusOr<JobView> tune(const Problem& problem, const TuneRequest& request) = 0;
  virtual StatusOr<JobView> job(int64_t id) = 0;
  virtual StatusOr<std::vector<JobView>> jobs(const std::vector<db::JobState>& states,
                                              const db::Page& page) = 0;
  virtual StatusOr<JobView> cancel(int64_t id) = 0;
  // Calls `observer` with the present state, then at every change (at most ten a second), last with
  // a final state. Calls come from an engine thread and must not block. Returns a handle whose
  // destruction ends the subscription (and waits for a call under way).
  virtual StatusOr<std::shared_ptr<void>> watch(
      int64_t id, std::function<void(const JobView&, bool last)> observer) = 0;

  virtual StatusOr<db::WinnerRow> winner(int64_t id) = 0;
  virtual StatusOr<std::vector<db::WinnerRow>> winners(const db::WinnerFilter& filter,
                                                       const db::Page& page) = 0;
  virtual StatusOr<std::vector<db::MeasurementRow>> measurements(const db::WinnerRow& winner,
                                                                 const db::Page& page) = 0;
  // Whether the winner was tuned with other code, schema, space or toolchain than today's, or on a
  // device that is not here.
  virtual bool stale(const db::WinnerRow& winner) = 0;
  virtual Status delete_winner(int64_t id) = 0;
  // The documented JSON form: configs, measurements, provenance; never code. docs/export.md.
  virtual StatusOr<std::string> export_json(const db::WinnerFilter& filter) = 0;
  // Takes the measurements of such a document as candidates: engine/import.h.
  virtual StatusOr<ImportReport> import_json(std::string_view document) = 0;

  virtual std::vector<DeviceView> devices() = 0;
  // Probes the devices' peaks when they have nothing to do; at most once a minute. Takes a second.
  virtual void measure_peaks() = 0;
  virtual StatusOr<db::GcReport> gc(const db::GcPolicy& policy) = 0;
  virtual std::vector<Diagnosis> doctor() = 0;
};

}  // namespace kiln::engine
