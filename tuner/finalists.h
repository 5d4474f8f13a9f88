// The best variants that a search has seen.

#pragma once

#include <cstddef>
#include <vector>

#include "core/measurement.h"
#include "tuner/problem_bench.h"

namespace kiln::tuner {

struct Finalist {
  size_t point = 0;
  bool is_default = false;
  double time_ns = 0;   // steady
  Candidate candidate;  // without artifact: known from before, not compiled now
  Measurement measurement;
};

class Finalists {
 public:
  // Keeps the best few, and the default in any case.
  void add(Finalist finalist);

  bool empty() const { return kept_.empty(); }
  size_t size() const { return kept_.size(); }
  const Finalist& best() const { return kept_.front(); }
  // Part of the machine's peak that the best of all reached.
  double best_fraction() const { return best_fraction_; }

  // Those that may still win, and the default; best first. Leaves nothing behind.
  std::vector<Finalist> take_contenders();

 private:
  std::vector<Finalist> kept_;  // best first
  double best_fraction_ = 0;
};

// Orders by timings of one rematch, best first: who does not clearly beat the default stands behind
// it.
void rank(std::vector<Finalist>& finalists);
// Null when the default is not among them.
const Finalist* default_among(const std::vector<Finalist>& finalists);

}  // namespace kiln::tuner
