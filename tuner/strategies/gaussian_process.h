// A Gaussian process over the points of a space, conditioned one observation at a time.
//
// Covariance is a product over the dimensions of Matérn-3/2 kernels in u and z (geometry.h) with a
// length scale each, plus noise. Length scales and noise are found by maximising the posterior with
// log-normal priors; the signal variance is profiled out. Rasmussen and Williams, "Gaussian
// Processes for Machine Learning", 2006, chapters 2, 4 and 5.

#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <span>
#include <vector>

#include "tuner/strategies/geometry.h"

namespace kiln::tuner {

class GaussianProcess {
 public:
  explicit GaussianProcess(const Geometry& geometry);

  // Finds length scales and noise for these observations, starting from the present ones.
  void fit(std::span<const size_t> points, std::span<const double> values);

  // Forgets all observations; predictions are wanted for `candidates`, at most `capacity`
  // observations will be added.
  void restart(std::vector<size_t> candidates, size_t capacity);
  void add(size_t point, double value);
  void remove_last();
  size_t observations() const { return observed_.size(); }
  size_t capacity() const { return static_cast<size_t>(factor_.rows()); }

  // Posterior at candidates()[i], in the unit of the values.
  const std::vector<size_t>& candidates() const { return candidates_; }
  double mean(size_t i) const { return mean_[static_cast<Eigen::Index>(i)]; }
  double deviation(size_t i) const;

 private:
  void update_tables();
  double covariance(size_t a, size_t b) const;
  double log_posterior(std::span<const size_t> points, const Eigen::VectorXd& values);

  const Geometry& geometry_;
  // Log length scales: one for each dimension's u, then one for each dimension that has z.
  std::vector<double> log_scale_;
  std::vector<double> log_scale_prior_;
  std::vector<int> z_scale_;  // by dimension: index of z's scale, -1 without
  double noise_ = 1e-3;
  double signal_variance_ = 1;
  std::vector<std::vector<float>> tables_;  // by dimension: covariance of level pairs

  std::vector<size_t> candidates_;
  std::vector<size_t> observed_;
  Eigen::MatrixXf factor_;    // rows: Cholesky factor of the observations' covariance
  Eigen::VectorXf whitened_;  // factor⁻¹ values
  // Row i: (factor⁻¹ covariance with the candidates)_i. Rows are contiguous: they are swept whole.
  Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> projection_;
  Eigen::VectorXf mean_;
  Eigen::VectorXf variance_;
};

}  // namespace kiln::tuner
