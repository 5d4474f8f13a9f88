// The peer of the service's latencies: a synchronous gRPC server that answers bytes with bytes.

#pragma once

#include <string>

namespace kiln::bench {

// Serves on a Unix socket until SIGTERM.
void serve_echo(const std::string& socket);

}  // namespace kiln::bench
