// A child process of a test: started in the background or run to its end, its output captured.

#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

namespace kiln::test {

struct Finished {
  int exit_code = -1;  // 128 + signal when killed
  std::string out;
  std::string err;
};

// Runs a command to its end; kills it after `timeout`.
Finished run(const std::vector<std::string>& command,
             std::chrono::seconds timeout = std::chrono::seconds(120));

class Program {
 public:
  // Output goes to `log`.
  Program(const std::vector<std::string>& command, const std::string& log);
  ~Program();  // kill -9 if it still runs
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  bool running();
  void signal(int number);
  // The exit code (128 + signal), or -1 if it still runs after `timeout`.
  int wait(std::chrono::seconds timeout);
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
  int status_ = 0;
  bool reaped_ = false;
};

std::string read_file(const std::string& path);

}  // namespace kiln::test
