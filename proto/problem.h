// Problems, schemas, spaces and configs as messages, and back.
//
// from_message() treats its argument as untrusted: INVALID_ARGUMENT names the field at fault.

#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/problem.h"
#include "core/schema.h"
#include "core/space.h"
#include "core/status.h"
#include "core/value.h"
#include "kiln/v1/problem.pb.h"

namespace kiln::proto {

// A problem's fields by name, as Problem::make takes them.
using Fields = std::vector<std::pair<std::string, Value>>;

v1::Value to_message(const Value& value);
StatusOr<Value> from_message(const v1::Value& value);

v1::Problem to_message(const Problem& problem);
// Text given for a field of another type is read by that type. Unknown names pass through, for
// Problem::make to complain about with its suggestion.
StatusOr<Fields> fields_of(const v1::Problem& problem, const Schema& schema);

v1::Schema to_message(const Schema& schema);
StatusOr<Schema> from_message(const v1::Schema& schema);

// `size` is the number of admissible points.
v1::Space to_message(const Space& space, int64_t size);

v1::Config to_message(const Config& config);
// With the labels of the space's parameters.
v1::Config to_message(const Config& config, const Space& space);
Config from_message(const v1::Config& config);
// "block_m=64 lanes=rows": labels where the message has them.
std::string text_of(const v1::Config& config);

}  // namespace kiln::proto
