// Activations as problems, configs and references speak of them.

#pragma once

#include "core/kernel_source.h"
#include "core/problem.h"
#include "core/schema.h"
#include "templates/tile/activation.h"

namespace kiln {

// The static field `activation`, none by default.
Field activation_field(std::string documentation);
tile::Activation activation_of(const Problem& problem);
// The member `activation` of a config.
KernelSource::Member activation_member(tile::Activation activation);

double activate(tile::Activation activation, double x);
// Bound of the error of activate(x) as lowerings compute it from an x that errs by `error`.
double activation_error(tile::Activation activation, double x, double error);
std::string activation_error_derivation();

}  // namespace kiln
