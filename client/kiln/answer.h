// The daemon's answer to GetKernel as a loaded kernel.

#pragma once

#include "client/kiln/served_kernel.h"
#include "core/status.h"
#include "kiln/v1/kiln.pb.h"

namespace kiln {

v1::Policy to_message(const struct Policy& policy);

// `code` is a kernel of this process with the answer's artifact; null: it is loaded from the
// answer's bytes after all checks.
StatusOr<std::shared_ptr<const ServedKernel>> served_kernel(
    const v1::GetKernelResponse& answer, std::shared_ptr<const runtime::Kernel> code);

}  // namespace kiln
