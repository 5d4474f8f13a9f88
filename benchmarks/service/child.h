// A program started for a measurement, ended with it.

#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace kiln::bench {

class Child {
 public:
  // Starts `arguments[0]`; its standard output and error go to `log`. Aborts when it cannot.
  Child(const std::vector<std::string>& arguments, const std::string& log);
  // SIGTERM, then waits.
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  bool running();

 private:
  pid_t pid_ = -1;
};

// Waits up to 10 s for a server on this Unix socket; false when none came.
bool wait_for_socket(const std::string& path, Child& server);

}  // namespace kiln::bench
