#include "templates/activation.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace kiln {

using tile::Activation;

namespace {

// In the order of the enumeration.
const std::vector<std::string>& names() {
  static const std::vector<std::string> all = {"none", "relu", "gelu", "silu"};
  return all;
}

// Greatest slope (gelu: 1.129 near 1.41), and the lowerings' own error relative to the argument.
constexpr double kSlope = 1.13, kOwnError = 1e-6;

}  // namespace

Field activation_field(std::string documentation) {
  return {.name = "activation",
          .type = FieldType::kChoice,
          .documentation = std::move(documentation) + "; gelu is the exact form",
          .default_value = names().front(),
          .choices = names()};
}

Activation activation_of(const Problem& problem) {
  const auto at = std::find(names().begin(), names().end(), problem.choice("activation"));
  return Activation(at - names().begin());
}

KernelSource::Member activation_member(Activation activation) {
  constexpr std::array kConstants = {"kNone", "kRelu", "kGelu", "kSilu"};
  return {"tile::Activation", "activation",
          std::string("tile::Activation::") + kConstants[size_t(activation)]};
}

double activate(Activation activation, double x) {
  switch (activation) {
    case Activation::kNone:
      return x;
    case Activation::kRelu:
      return x > 0 ? x : 0;
    case Activation::kGelu:
      return x * 0.5 * (1 + std::erf(x / std::sqrt(2.0)));
    case Activation::kSilu:
      return x / (1 + std::exp(-x));
  }
  return x;
}

double activation_error(Activation activation, double x, double error) {
  if (activation == Activation::kNone || activation == Activation::kRelu) return error;
  return kSlope * error + kOwnError * std::abs(x);
}

std::string activation_error_derivation() {
  return "gelu and silu multiply that by their greatest slope, 1.13, and add 1e-6 of their "
         "argument.";
}

}  // namespace kiln
