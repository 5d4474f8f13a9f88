// Plans and artifacts as messages, and back.
//
// from_message() checks structure only (known kinds, versions, ranges of small integers);
// runtime::Kernel::load checks the meaning.

#pragma once

#include <string_view>

#include "core/artifact.h"
#include "core/plan.h"
#include "core/status.h"
#include "kiln/v1/kiln.pb.h"
#include "kiln/v1/plan.pb.h"

namespace kiln::proto {

v1::Plan to_message(const Plan& plan);
StatusOr<Plan> from_message(const v1::Plan& plan);

// The bytes are left out unless `content`.
void fill(v1::Artifact& message, const Artifact& artifact, bool content);
// INVALID_ARGUMENT when the bytes are not those that the hash and size name.
StatusOr<Artifact> from_message(const v1::Artifact& artifact);

}  // namespace kiln::proto
