// Provenance as a message, and back.

#pragma once

#include "core/provenance.h"
#include "core/status.h"
#include "kiln/v1/kiln.pb.h"

namespace kiln::proto {

v1::Provenance to_message(const Provenance& provenance);
// INVALID_ARGUMENT for a kind or a measurement that this version does not know.
StatusOr<Provenance> from_message(const v1::Provenance& message);

}  // namespace kiln::proto
