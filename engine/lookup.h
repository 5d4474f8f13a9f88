// What is known about a problem on a device: its winner, a similar problem's, or the default.
//
// Every function gives an answer or null when there is none; the store failing is as if it were
// empty. What has to be compiled is verified on the family's probe problem first, once for all who
// ask. Thread-safe.

#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

#include "core/problem.h"
#include "core/status.h"
#include "db/store.h"
#include "engine/catalogue.h"
#include "engine/engine.h"
#include "engine/flights.h"
#include "engine/served_device.h"

namespace kiln::engine {

using Answer = std::shared_ptr<const KernelAnswer>;

enum class Compile : uint8_t { kAllowed, kForbidden };

class Lookup {
 public:
  // Compilations end early when `closing` is requested. All arguments outlive the lookup.
  Lookup(const Catalogue& catalogue, db::Store& store, std::stop_token closing)
      : catalogue_(catalogue), store_(store), closing_(std::move(closing)) {}

  // The winner with the problem's key, stale or not.
  StatusOr<Answer> tuned(const ServedDevice& device, const Problem& problem, Compile compile);
  // This winner: NOT_FOUND when it is gone, FAILED_PRECONDITION when it does not serve the problem
  // or its artifact is lost and may not be compiled again.
  StatusOr<Answer> pinned(const ServedDevice& device, const Problem& problem, int64_t winner_id,
                          Compile compile);
  // A similar problem's winner: same statics, at most 4x in a sized field, same device before same
  // architecture, then the nearest, then by key bytes.
  StatusOr<Answer> transferred(const ServedDevice& device, const Problem& problem, Compile compile);
  // The family's default. Without permission to compile: if it was compiled before.
  StatusOr<Answer> fallback(const ServedDevice& device, const Problem& problem, Compile compile);

  // The answer that a winner just stored gives.
  Answer fresh(const ServedDevice& device, const Problem& problem, const db::WinnerRow& row,
               const Artifact& artifact, const Plan& plan) const;

  bool is_stale(const ServedDevice& device, const Problem& problem, const db::WinnerRow& row) const;
  // Configs of the problem's own winner and of similar problems', best candidates first.
  std::vector<Config> candidates(const ServedDevice& device, const Problem& problem);
  // The winner that needs no tuning, if there is one.
  std::optional<db::WinnerRow> fresh_winner(const ServedDevice& device, const Problem& problem);

 private:
  struct Similar {
    db::WinnerRow row;
    bool same_device = false;
    double distance = 0;
  };
  using Checked = std::shared_ptr<const tuner::Checked>;

  std::vector<Similar> similar(const ServedDevice& device, const Problem& problem);
  StatusOr<Answer> answer_from(const ServedDevice& device, const Problem& problem,
                               const db::WinnerRow& row, Provenance::Kind kind, Compile compile);
  // Null when it may not be compiled and was not before.
  StatusOr<Checked> checked(const ServedDevice& device, const Problem& problem,
                            const Config& config, Compile compile);
  std::optional<db::WinnerRow> find_winner(const ServedDevice& device, const Problem& problem);

  const Catalogue& catalogue_;
  db::Store& store_;
  std::stop_token closing_;
  Flights<StatusOr<Checked>> compilations_;
  std::mutex mutex_;
  std::map<std::string, StatusOr<Checked>> checked_;  // by device and code identity
};

}  // namespace kiln::engine
