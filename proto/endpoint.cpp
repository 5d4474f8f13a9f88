#include "proto/endpoint.h"

#include <unistd.h>

#include <cstdlib>

namespace kiln::proto {

std::string default_socket() {
  constexpr char kName[] = "/kiln/kilnd.sock";
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  if (runtime != nullptr && runtime[0] == '/') return std::string(runtime) + kName;
  if (geteuid() == 0) return std::string("/run") + kName;
  return "/run/user/" + std::to_string(geteuid()) + kName;
}

}  // namespace kiln::proto
