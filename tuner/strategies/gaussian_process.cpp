#include "tuner/strategies/gaussian_process.h"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>

namespace kiln::tuner {
namespace {

// Priors of the logarithms: normal with these means and deviations.
const double kLogScaleMean = std::log(1.2);
const double kLogAlignmentScaleMean = std::log(1.5);
constexpr double kLogScaleDeviation = 1.0;
const double kLogNoiseMean = std::log(3e-3);
constexpr double kLogNoiseDeviation = 1.5;
constexpr double kNoiseMinimum = 1e-5;
constexpr double kNoiseMaximum = 0.3;

constexpr int kSweeps = 3;
constexpr double kFirstStep = 0.7;  // in the log of a length scale; doubled for the noise
constexpr double kStepShrink = 0.7;

double matern32(double distance) {
  const double r = std::sqrt(3.0) * distance;
  return (1 + r) * std::exp(-r);
}

double square(double x) {
  return x * x;
}

}  // namespace

GaussianProcess::GaussianProcess(const Geometry& geometry) : geometry_(geometry) {
  const auto& dimensions = geometry.dimensions();
  log_scale_prior_.assign(dimensions.size(), kLogScaleMean);
  for (const Geometry::Dimension& dimension : dimensions) {
    z_scale_.push_back(dimension.z.empty() ? -1 : static_cast<int>(log_scale_prior_.size()));
    if (!dimension.z.empty()) log_scale_prior_.push_back(kLogAlignmentScaleMean);
  }
  log_scale_ = log_scale_prior_;
  tables_.resize(dimensions.size());
  update_tables();
}

void GaussianProcess::update_tables() {
  for (size_t d = 0; d < tables_.size(); ++d) {
    const Geometry::Dimension& dimension = geometry_.dimensions()[d];
    const size_t n = dimension.u.size();
    const double u_rate = std::exp(-log_scale_[d]);
    const double z_rate =
        z_scale_[d] < 0 ? 0 : std::exp(-log_scale_[static_cast<size_t>(z_scale_[d])]);
    tables_[d].resize(n * n);
    for (size_t a = 0; a < n; ++a) {
      for (size_t b = 0; b < n; ++b) {
        double k = matern32(std::fabs(dimension.u[a] - dimension.u[b]) * u_rate);
        if (z_rate > 0) k *= matern32(std::fabs(dimension.z[a] - dimension.z[b]) * z_rate);
        tables_[d][a * n + b] = static_cast<float>(k);
      }
    }
  }
}

double GaussianProcess::covariance(size_t a, size_t b) const {
  double k = 1;
  for (size_t d = 0; d < tables_.size(); ++d) {
    const size_t n = geometry_.dimensions()[d].u.size();
    k *= tables_[d][geometry_.level(a, d) * n + geometry_.level(b, d)];
  }
  return k;
}

double GaussianProcess::log_posterior(std::span<const size_t> points,
                                      const Eigen::VectorXd& values) {
  update_tables();
  const auto n = static_cast<Eigen::Index>(points.size());
  Eigen::MatrixXd k(n, n);
  for (Eigen::Index i = 0; i < n; ++i) {
    for (Eigen::Index j = 0; j < i; ++j) {
      k(i, j) = covariance(points[static_cast<size_t>(i)], points[static_cast<size_t>(j)]);
    }
    k(i, i) = 1 + noise_;
  }
  const Eigen::LLT<Eigen::MatrixXd> factor(k);
  if (factor.info() != Eigen::Success) return -std::numeric_limits<double>::infinity();
  const double fit = factor.matrixL().solve(values).squaredNorm();
  const double log_determinant = 2 * factor.matrixLLT().diagonal().array().log().sum();
  const auto count = static_cast<double>(n);
  signal_variance_ = (fit + 1) / (count + 1);
  double posterior =
      -0.5 * (count * std::log(signal_variance_) + log_determinant + fit / signal_variance_);
  for (size_t h = 0; h < log_scale_.size(); ++h) {
    posterior -= 0.5 * square((log_scale_[h] - log_scale_prior_[h]) / kLogScaleDeviation);
  }
  return posterior - 0.5 * square((std::log(noise_) - kLogNoiseMean) / kLogNoiseDeviation);
}

void GaussianProcess::fit(std::span<const size_t> points, std::span<const double> values) {
  const Eigen::VectorXd y =
      Eigen::Map<const Eigen::VectorXd>(values.data(), static_cast<Eigen::Index>(values.size()));
  double best = log_posterior(points, y);
  double step = kFirstStep;
  for (int sweep = 0; sweep < kSweeps; ++sweep, step *= kStepShrink) {
    for (size_t h = 0; h <= log_scale_.size(); ++h) {
      const bool is_noise = h == log_scale_.size();
      double& parameter = is_noise ? noise_ : log_scale_[h];
      const double before = parameter;
      for (const double direction : {-1.0, 1.0}) {
        parameter = is_noise ? std::clamp(before * std::exp(2 * direction * step), kNoiseMinimum,
                                          kNoiseMaximum)
                             : before + direction * step;
        const double posterior = log_posterior(points, y);
        if (posterior > best + 1e-6) {
          best = posterior;
          break;
        }
        parameter = before;
      }
    }
  }
  log_posterior(points, y);  // leaves tables and signal variance at the optimum
}

void GaussianProcess::restart(std::vector<size_t> candidates, size_t capacity) {
  candidates_ = std::move(candidates);
  observed_.clear();
  const auto rows = static_cast<Eigen::Index>(capacity);
  const auto columns = static_cast<Eigen::Index>(candidates_.size());
  factor_.setZero(rows, rows);
  whitened_.setZero(rows);
  projection_.resize(rows, columns);
  mean_.setZero(columns);
  variance_.setOnes(columns);
}

void GaussianProcess::add(size_t point, double value) {
  const auto n = static_cast<Eigen::Index>(observed_.size());
  Eigen::VectorXf row(n);
  for (Eigen::Index i = 0; i < n; ++i) {
    row[i] = static_cast<float>(covariance(point, observed_[static_cast<size_t>(i)]));
  }
  factor_.topLeftCorner(n, n).triangularView<Eigen::Lower>().solveInPlace(row);
  const double residual = 1 + noise_ - static_cast<double>(row.squaredNorm());
  const auto pivot = static_cast<float>(std::sqrt(std::max(residual, 1e-6)));
  factor_.row(n).head(n) = row.transpose();
  factor_(n, n) = pivot;
  whitened_[n] = (static_cast<float>(value) - row.dot(whitened_.head(n))) / pivot;

  auto projected = projection_.row(n);
  for (size_t c = 0; c < candidates_.size(); ++c) {
    projected[static_cast<Eigen::Index>(c)] = static_cast<float>(covariance(point, candidates_[c]));
  }
  projected -= row.transpose() * projection_.topRows(n);
  projected /= pivot;
  mean_ += whitened_[n] * projected.transpose();
  variance_ -= projected.transpose().cwiseAbs2();
  observed_.push_back(point);
}

void GaussianProcess::remove_last() {
  const auto n = static_cast<Eigen::Index>(observed_.size()) - 1;
  const auto projected = projection_.row(n);
  mean_ -= whitened_[n] * projected.transpose();
  variance_ += projected.transpose().cwiseAbs2();
  observed_.pop_back();
}

double GaussianProcess::deviation(size_t i) const {
  const double share = std::max(static_cast<double>(variance_[static_cast<Eigen::Index>(i)]), 1e-9);
  return std::sqrt(signal_variance_ * share);
}

}  // namespace kiln::tuner
