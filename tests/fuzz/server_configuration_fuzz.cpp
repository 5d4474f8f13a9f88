// kilnd's configuration file: read or refused with a reason.

#include <sys/mman.h>
#include <unistd.h>

#include <string>

#include "server/configuration.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const int file = memfd_create("configuration", MFD_CLOEXEC);
  kiln::fuzz::require(file >= 0 && write(file, data, size) == ssize_t(size), "a file in memory");
  const std::string path = "/proc/self/fd/" + std::to_string(file);
  const auto read = kiln::server::read_configuration(path, kiln::server::Configuration());
  kiln::fuzz::require(read.ok() || !read.status().message().empty(), "a refusal has a reason");
  close(file);
  return 0;
}
