// Small questions to the system that a child's stages share.

#pragma once

#include <cstdint>

#include "core/status.h"

namespace kiln::tuner::worker {

int64_t now_ns();  // of a steady clock

StatusOr<int64_t> file_bytes(int fd);

}  // namespace kiln::tuner::worker
