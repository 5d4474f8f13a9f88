// The engine's types as messages, and requests as the engine's types.

#pragma once

#include <chrono>
#include <string_view>

#include "core/status.h"
#include "engine/engine.h"
#include "kiln/v1/kiln.pb.h"

namespace kiln::server {

// INVALID_ARGUMENT names `field`: negative, above `max`, or with nanoseconds out of range.
StatusOr<std::chrono::milliseconds> from_message(const google::protobuf::Duration& duration,
                                                 std::string_view field,
                                                 std::chrono::milliseconds max);
google::protobuf::Duration to_message(std::chrono::milliseconds duration);

StatusOr<engine::Policy> from_message(const v1::Policy& policy);
StatusOr<engine::TuneRequest> from_message(const v1::CreateJobRequest& request);
StatusOr<std::vector<db::JobState>> from_message(
    const google::protobuf::RepeatedField<int>& states);

v1::Cost to_message(const Cost& cost);
v1::Device to_message(const engine::DeviceView& device);
v1::Job to_message(const engine::JobView& job);
// Without cost and staleness, which the engine knows.
v1::Winner to_message(const db::WinnerRow& winner);

}  // namespace kiln::server
