#include "templates/attention_forward/reference.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace kiln::attention_forward {

namespace {

// Sums of n rounded terms err like a random walk; 4 standard deviations, and this much besides.
constexpr double kSpread = 4;
// Relative error of 2^x as lowerings compute it, argument included.
constexpr double kExponential = 1e-6;

// Elements [0, n) of a row (axis 3 has stride 1 in every plan) as doubles.
void read_row(const HostTensor& t, int64_t batch, int64_t seq, int64_t head,
              std::vector<double>& row) {
  const int64_t offset = batch * t.strides[0] + seq * t.strides[1] + head * t.strides[2];
  for (size_t d = 0; d < row.size(); ++d)
    row[d] = t.at(offset + int64_t(d) * t.strides[3]);
}

}  // namespace

void reference_row(const AttentionProblem& p, std::span<const HostTensor> tensors, int64_t unit,
                   ReferenceSink& sink) {
  const int64_t i = unit % p.seq_q, h = unit / p.seq_q % p.heads_q, b = unit / p.seq_q / p.heads_q;
  const HostTensor& k = find_tensor(tensors, "k");
  const HostTensor& v = find_tensor(tensors, "v");
  const size_t dim = size_t(p.head_dim);
  const int64_t first = p.first_key(i), last = p.last_key(i), kv_head = h / p.group();
  const size_t keys = size_t(std::max<int64_t>(0, last - first + 1));
  const double f32 = unit_roundoff(Dtype::kF32), own = unit_roundoff(p.dtype);

  std::vector<double> query(dim), row(dim), score(keys);
  read_row(find_tensor(tensors, "q"), b, i, h, query);
  double greatest = -std::numeric_limits<double>::infinity();
  double magnitude =
      0;  // greatest sum of |q k|, scaled, over the keys: what a score's error goes with
  for (size_t j = 0; j < keys; ++j) {
    read_row(k, b, first + int64_t(j), kv_head, row);
    double dot = 0, absolute = 0;
    for (size_t d = 0; d < dim; ++d) {
      dot += query[d] * row[d];
      absolute += std::abs(query[d] * row[d]);
    }
    double s = dot * p.scale;
    if (p.softcap != 0) s = p.softcap * std::tanh(s / p.softcap);
    score[j] = s;
    greatest = std::max(greatest, s);
    magnitude = std::max(magnitude, absolute * p.scale);
  }

  double sum = 0;
  for (double& s : score)
    sum += s = std::exp(s - greatest);
  const double lse = keys == 0 ? greatest : greatest + std::log(sum);
  std::vector<double> output(dim, 0), weight(dim, 0);
  for (size_t j = 0; j < keys; ++j) {
    read_row(v, b, first + int64_t(j), kv_head, row);
    const double probability = score[j] / sum;
    for (size_t d = 0; d < dim; ++d) {
      output[d] += probability * row[d];
      weight[d] += probability * std::abs(row[d]);
    }
  }

  const double score_error = f32 * magnitude * (2 + kSpread * std::sqrt(double(dim))) +
                             (p.softcap != 0 ? 8 * f32 * p.softcap : 0);
  const double relative = 2 * (score_error + kExponential) +
                          f32 * kSpread * (2 + std::sqrt(double(keys))) +
                          (p.dtype == Dtype::kF32 ? 0 : own);
  const HostTensor& o = find_tensor(tensors, "o");
  const int64_t offset = b * o.strides[0] + i * o.strides[1] + h * o.strides[2];
  const double least = p.dtype == Dtype::kF16 ? 0x1p-25 : 1e-37;
  for (size_t d = 0; d < dim; ++d) {
    sink.expect("o", offset + int64_t(d) * o.strides[3], output[d],
                relative * weight[d] + 2 * own * std::abs(output[d]) + least);
  }
  const HostTensor& l = find_tensor(tensors, "lse");
  if (l.data != nullptr) {
    sink.expect("lse", b * l.strides[0] + h * l.strides[1] + i * l.strides[2], lse,
                keys == 0 ? 0 : score_error + kExponential + 8 * f32 * (1 + std::abs(lse)));
  }
}

std::string attention_tolerance() {
  return "With u the unit roundoff (f32: 2^-24): a score errs by e = u scale max_j sum|q k_j| (2 + "
         "4 "
         "sqrt(head_dim)), a sum of head_dim rounded products behaving like a random walk (4 "
         "standard "
         "deviations), plus 8 u softcap. A weight's relative error is 2 (e + 1e-6): numerator and "
         "denominator, 1e-6 for the exponential. O errs by that plus 4 u (2 + sqrt(keys)) for the "
         "sum "
         "and, in 16-bit types, the type's u for rounded weights, all times sum_j p_j |v_j|; plus "
         "two "
         "roundings to the type. LSE errs by e + 1e-6 + 8 u (1 + |LSE|). Empty rows are exact.";
}

}  // namespace kiln::attention_forward
