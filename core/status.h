// How rooms report failure.
//
// Kiln uses absl::Status with the canonical codes, so that a failure keeps its meaning on the wire.
// A failure caused by one input field carries a FieldViolation as payload; servers turn it into
// google.rpc.BadRequest, the command line prints it. Messages read
//     "head_dim = 60: expected a multiple of 8 between 8 and 256"
// with control characters of the offending value escaped.

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace kiln {

using absl::Status;
using absl::StatusOr;

struct FieldViolation {
  std::string field;
  std::string value;
  std::string expected;
};

// INVALID_ARGUMENT (or `code`) naming the field, its value and what was expected.
Status invalid_field(std::string_view field, std::string_view value, std::string_view expected,
                     absl::StatusCode code = absl::StatusCode::kInvalidArgument);

// The violation that `status` carries, if any.
std::optional<FieldViolation> field_violation(const Status& status);

// `text` with control characters, quotes and backslashes escaped and cut at `max_length`.
std::string printable(std::string_view text, size_t max_length = 200);

// `status` with "context: " before its message; keeps code and payloads.
Status annotate(const Status& status, std::string_view context);

}  // namespace kiln

// Returns from the enclosing function when `expression` (a Status) is not OK.
#define KILN_RETURN_IF_ERROR(expression)                                                  \
  do {                                                                                    \
    if (::kiln::Status kiln_status = (expression); !kiln_status.ok()) return kiln_status; \
  } while (false)

#define KILN_CONCATENATE_(a, b) a##b
#define KILN_CONCATENATE(a, b) KILN_CONCATENATE_(a, b)

// Assigns the value of a StatusOr to `target`, or returns its status.
#define KILN_ASSIGN_OR_RETURN(target, expression) \
  KILN_ASSIGN_OR_RETURN_(KILN_CONCATENATE(kiln_result_, __LINE__), target, expression)
#define KILN_ASSIGN_OR_RETURN_(result, target, expression) \
  auto result = (expression);                              \
  if (!result.ok()) return std::move(result).status();     \
  target = *std::move(result)
