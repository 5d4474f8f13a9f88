// Measurements as JSON, the form in which they are stored.
//
// Numbers read back as they were written: doubles by their shortest text, infinities and NaN as
// "inf", "-inf", "nan". Bytes of diagnostics that are no UTF-8 become U+FFFD.

#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "core/measurement.h"
#include "core/status.h"

namespace kiln::db {

std::string to_json(const Measurement& measurement);
// DATA_LOSS when `text` is not what to_json() writes.
StatusOr<Measurement> measurement_from_json(std::string_view text);

// Parts, for documents that hold a measurement among other things.
nlohmann::json timing_json(const Timing& timing);
nlohmann::json verification_json(const Verification& verification);

}  // namespace kiln::db
