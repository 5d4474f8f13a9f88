// The program: parses the command line, runs one command, turns its Status into an exit code.

#pragma once

#include <string>
#include <vector>

#include "client/tunectl/session.h"

namespace kiln::tunectl {

// `arguments` without the program's name. Returns the process's exit code (failure.h). Everything
// that goes wrong is told on environment.err; nothing is thrown.
int run(const std::vector<std::string>& arguments, Environment& environment);

// Connects as the options say: to a daemon's socket or to the service in this process.
StatusOr<std::unique_ptr<Connection>> connect_by_options(const GlobalOptions& options);

}  // namespace kiln::tunectl
