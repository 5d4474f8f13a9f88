// How commands fail: a Status whose kind decides the exit code, and the remedy shown with it.

#pragma once

#include <string>

#include "core/status.h"

namespace kiln::tunectl {

// Documented in docs/tunectl.md and by `tunectl --help`.
enum class ExitCode {
  kOk = 0,
  kFailed = 1,            // the work itself failed
  kUsage = 2,             // wrong command line, problem or workload file
  kNoDaemon = 3,          // nothing answers on the socket
  kNotFound = 4,          // no such family, device, winner, job, or no kernel under the policy
  kNoWorkingVariant = 5,  // tuning ended without one that compiles, runs and is right
  kInterrupted = 130,
};

// A failure with its exit code and what to do about it (empty: nothing to add).
Status failure(ExitCode code, const std::string& message, const std::string& remedy = "");
Status usage_error(const std::string& message, const std::string& remedy = "");

// By failure()'s code, else by the canonical code.
ExitCode exit_code(const Status& status);
std::string remedy(const Status& status);

}  // namespace kiln::tunectl
