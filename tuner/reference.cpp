#include "tuner/reference.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <thread>

#include "absl/strings/str_format.h"
#include "core/random.h"
#include "tuner/workload.h"

namespace kiln::tuner {

namespace {

// Units to compute, in the order of their worth: borders first.
std::vector<int64_t> choose_units(const Family& family, const Problem& problem,
                                  const ReferenceOptions& options) {
  const int64_t total = family.reference_units(problem);
  const double flops = std::max(family.reference_unit_flops(problem), 1.0);
  const auto affordable = int64_t(std::min(options.flops / flops, 1e9));
  std::vector<int64_t> units;
  if (total <= affordable) {
    for (int64_t unit = 0; unit < total; ++unit)
      units.push_back(unit);
    return units;
  }
  std::set<int64_t> chosen;
  const auto choose = [&](int64_t unit) {
    if (unit >= 0 && unit < total && chosen.insert(unit).second) units.push_back(unit);
  };
  for (const int64_t unit : family.border_units(problem))
    choose(unit);
  // At least one unit inside, whatever the borders cost.
  const size_t wanted = std::max(size_t(affordable), units.size() + 1);
  for (uint64_t draw = 0; units.size() < wanted && draw < 4 * wanted; ++draw) {
    choose(int64_t(random_below(options.seed, draw, uint64_t(total))));
  }
  return units;
}

}  // namespace

class Reference::Collector : public ReferenceSink {
 public:
  explicit Collector(std::span<const HostTensor> tensors)
      : tensors_(tensors), expected_(tensors.size()) {}

  void expect(std::string_view output, int64_t offset, double value, double tolerance) override {
    if (last_ >= tensors_.size() || tensors_[last_].name != output) {
      last_ = 0;
      while (last_ < tensors_.size() && tensors_[last_].name != output)
        ++last_;
      if (last_ == tensors_.size()) return;
    }
    if (tensors_[last_].data == nullptr) return;
    expected_[last_].push_back({offset, value, tolerance});
    ++count_;
  }

  int64_t count() const { return count_; }
  std::vector<std::vector<Expected>>& expected() { return expected_; }

 private:
  std::span<const HostTensor> tensors_;
  std::vector<std::vector<Expected>> expected_;
  size_t last_ = 0;
  int64_t count_ = 0;
};

StatusOr<std::unique_ptr<Reference>> Reference::make(const Family& family, const Problem& problem,
                                                     std::span<const HostTensor> tensors,
                                                     const ReferenceOptions& options,
                                                     std::stop_token stop) {
  const std::vector<int64_t> units = choose_units(family, problem, options);
  const size_t threads = size_t(std::clamp<int64_t>(options.threads, 1, int64_t(units.size()) + 1));
  std::vector<Collector> parts(threads, Collector(tensors));
  std::vector<int64_t> done(threads, 0);
  const auto work = [&](size_t part) {
    // Strided, so that the parts stop at about the same unit when elements run out.
    for (size_t i = part; i < units.size(); i += threads) {
      if (stop.stop_requested() || parts[part].count() * int64_t(threads) > options.elements) break;
      family.reference_unit(problem, tensors, units[i], parts[part]);
      ++done[part];
    }
  };
  {
    std::vector<std::jthread> helpers;
    for (size_t part = 1; part < threads; ++part)
      helpers.emplace_back([&, part] { work(part); });
    work(0);
  }
  if (stop.stop_requested()) return absl::CancelledError("stopped");
  auto reference = std::make_unique<Reference>();
  reference->units_total_ = family.reference_units(problem);
  reference->expected_.resize(tensors.size());
  for (size_t part = 0; part < threads; ++part) {
    reference->units_ += done[part];
    for (size_t i = 0; i < tensors.size(); ++i) {
      auto& from = parts[part].expected()[i];
      auto& to = reference->expected_[i];
      to.insert(to.end(), from.begin(), from.end());
      from = {};
    }
  }
  return reference;
}

Reference::Result Reference::compare(std::span<const HostTensor> tensors) const {
  Result result;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const HostTensor& tensor = tensors[i];
    if (tensor.data == nullptr) continue;
    for (const Expected& expected : expected_[i]) {
      const double actual = tensor.at(expected.offset);
      // Covers equal infinities, whose difference is NaN.
      if (actual == expected.value) continue;
      if (std::isnan(actual) && std::isnan(expected.value)) continue;
      const double error = std::abs(actual - expected.value);
      const bool fits = error <= expected.tolerance && std::isfinite(expected.value);
      if (std::isfinite(error)) {
        result.worst_absolute = std::max(result.worst_absolute, error);
        if (expected.tolerance > 0) {
          result.worst_error = std::max(result.worst_error, error / expected.tolerance);
        }
      }
      if (fits || result.wrong) continue;
      result.wrong = true;
      result.diagnostics = absl::StrFormat("%s = %.9g, expected %.9g within %.3g",
                                           element_name(tensor, expected.offset), actual,
                                           expected.value, expected.tolerance);
    }
  }
  return result;
}

}  // namespace kiln::tuner
