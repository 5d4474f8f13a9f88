#include "templates/gemm/reference.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "templates/activation.h"

namespace kiln::gemm {

namespace {

// Sums of n rounded terms err like a random walk; 4 standard deviations.
constexpr double kSpread = 4;

int64_t units_of_row(const GemmProblem& p) {
  return (p.n + kUnitColumns - 1) / kUnitColumns;
}

int64_t place(const HostTensor& t, int64_t z, int64_t i, int64_t j) {
  return z * t.strides[0] + i * t.strides[1] + j * t.strides[2];
}

}  // namespace

int64_t units(const GemmProblem& p) {
  return p.batch * p.m * units_of_row(p);
}

int64_t unit_of(const GemmProblem& p, int64_t z, int64_t i, int64_t j) {
  return (z * p.m + i) * units_of_row(p) + j / kUnitColumns;
}

void reference_unit(const GemmProblem& p, std::span<const HostTensor> tensors, int64_t unit,
                    ReferenceSink& sink) {
  const int64_t first = unit % units_of_row(p) * kUnitColumns;
  const int64_t i = unit / units_of_row(p) % p.m, z = unit / units_of_row(p) / p.m;
  const size_t columns = size_t(std::min(kUnitColumns, p.n - first));
  const HostTensor& a = find_tensor(tensors, "a");
  const HostTensor& b = find_tensor(tensors, "b");
  const HostTensor& d = find_tensor(tensors, "d");

  std::vector<double> sum(columns, 0), magnitude(columns, 0);
  const auto add = [&](size_t j, double left, double right) {
    sum[j] += left * right;
    magnitude[j] += std::abs(left * right);
  };
  // Along memory: b is read from end to end.
  if (p.transpose_b) {
    std::vector<double> row(size_t(p.k));
    for (int64_t k = 0; k < p.k; ++k)
      row[size_t(k)] = a.at(place(a, z, i, k));
    for (size_t j = 0; j < columns; ++j) {
      for (int64_t k = 0; k < p.k; ++k)
        add(j, row[size_t(k)], b.at(place(b, z, k, first + int64_t(j))));
    }
  } else {
    for (int64_t k = 0; k < p.k; ++k) {
      const double left = a.at(place(a, z, i, k));
      for (size_t j = 0; j < columns; ++j)
        add(j, left, b.at(place(b, z, k, first + int64_t(j))));
    }
  }

  const double f32 = unit_roundoff(Dtype::kF32);
  const double own = p.dtype == Dtype::kF32 ? 0 : unit_roundoff(p.dtype);
  const double least = p.dtype == Dtype::kF16 ? 0x1p-25 : 1e-37;  // rounding of subnormal values
  for (size_t j = 0; j < columns; ++j) {
    const int64_t column = first + int64_t(j);
    double bias = 0, residual = 0;
    if (p.bias != Bias::kNone) {
      const HostTensor& t = find_tensor(tensors, "bias");
      bias = t.at((p.bias == Bias::kRows ? i : column) * t.strides[0]);
    }
    if (p.residual) {
      const HostTensor& c = find_tensor(tensors, "c");
      residual = p.beta * c.at(place(c, z, i, column));
    }
    const double before = p.alpha * sum[j] + bias;
    double error =
        f32 * (std::abs(p.alpha) * magnitude[j] * (2 + kSpread * std::sqrt(double(p.k))) +
               2 * std::abs(bias));
    error = activation_error(p.activation, before, error);
    const double value = activate(p.activation, before) + residual;
    error += 2 * f32 * (std::abs(value) + std::abs(residual));
    sink.expect("d", place(d, z, i, column), value,
                error + own * (std::abs(value) + error) + least);
  }
}

std::string gemm_tolerance() {
  return "A sum of k products in f32 errs by u |alpha| sum|a b| (2 + 4 sqrt(k)), u = 2^-24: "
         "roundings of partial sums behave like a random walk (4 standard deviations); the bias "
         "adds 2 u |bias|. " +
         activation_error_derivation() +
         " The result and beta c add 2 u of theirs, 16-bit types one rounding to the type.";
}

}  // namespace kiln::gemm
