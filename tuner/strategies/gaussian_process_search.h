// The default search: expected improvement under a Gaussian process of log time.
//
// Starts from four well-spread, well-aligned points; refits as observations grow; failures count as
// the worst valid time; batches are filled by believing the model's mean. Converged after ten
// suggestions running that promise less than 0.1 %.

#pragma once

#include <random>

#include "tuner/strategies/gaussian_process.h"
#include "tuner/strategy.h"

namespace kiln::tuner {

class GaussianProcessSearch : public Strategy {
 public:
  GaussianProcessSearch(const Space& space, const std::vector<std::vector<uint16_t>>& points,
                        const StrategyOptions& options);

  std::vector<size_t> ask(size_t count) override;
  void tell(size_t point, std::optional<double> time_ns) override;
  bool converged() const override;

 private:
  struct Observation {
    size_t point;
    std::optional<double> log_time;
  };

  size_t random_unasked();
  size_t starting_point();
  // The candidate of greatest expected improvement; its index among the candidates.
  std::optional<size_t> best_candidate(double* improvement) const;
  bool model_is_due() const;
  void rebuild_model();
  std::vector<double> standardised() const;
  std::vector<size_t> subset(size_t best, size_t random);
  void hand_out(size_t point, std::vector<size_t>& batch);

  Geometry geometry_;
  GaussianProcess process_;
  std::mt19937_64 random_;
  std::vector<size_t> first_;
  std::vector<bool> asked_;
  size_t unasked_;
  std::vector<Observation> observations_;
  size_t started_ = 0;  // starting points handed out
  size_t observations_at_fit_ = 0;
  size_t in_model_ = 0;    // observations that the process has seen since the last rebuild
  double scale_mean_ = 0;  // frozen between rebuilds
  double scale_deviation_ = 1;
  double best_value_ = 0;  // standardised
  int hopeless_suggestions_ = 0;
};

}  // namespace kiln::tuner
