// Bytes that name a problem in caches and databases.
//
// The encoding is our own and canonical: a version byte, the family, the schema's version, then for
// each field in schema order its class and value; sized fields hold their bucket, scalar fields are
// left out. Equal bytes mean that one winner serves both problems.

#pragma once

#include <string>
#include <string_view>

#include "core/problem.h"

namespace kiln {

std::string problem_key(const Problem& problem);  // sized fields bucketed, scalars left out
std::string exact_key(const Problem& problem);    // every field exact: identifies measurements
std::string statics_key(const Problem& problem);  // statics only: problems that an artifact serves

// Sum over the sized fields of |log2(a/b)|; infinity when the statics differ, when a sentinel
// (value <= 0) meets a size, or when one field differs by more than `max_ratio`.
double distance(const Problem& a, const Problem& b, double max_ratio = 4.0);

// XXH3-128 of `bytes` in 32 hexadecimal digits. Detects corruption and names content; it is no
// protection against an adversary.
std::string digest(std::string_view bytes);

}  // namespace kiln
