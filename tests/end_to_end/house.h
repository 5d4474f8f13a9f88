// A daemon with its state in a temporary directory, and tunectl talking to it.

#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/end_to_end/program.h"

namespace kiln::test {

class House {
 public:
  House();
  ~House();  // stops the daemon, removes the directory

  std::string directory() const { return directory_; }
  std::string state() const { return directory_ + "/state"; }
  std::string socket() const { return directory_ + "/run/kilnd.sock"; }

  // Starts kilnd and waits until it answers.
  void open(const std::string& background = "never", const std::vector<std::string>& flags = {});
  // A second daemon of one's own making; does not wait.
  std::unique_ptr<Program> another(const std::vector<std::string>& flags);
  Program& daemon() { return *daemon_; }
  void kill_daemon();
  int stop_daemon();  // SIGTERM; its exit code
  std::string log() const { return read_file(directory_ + "/log"); }

  Finished tunectl(std::vector<std::string> arguments);
  // With --output json; must succeed.
  nlohmann::json ask(std::vector<std::string> arguments);
  std::unique_ptr<Program> tunectl_in_background(std::vector<std::string> arguments);

 private:
  std::vector<std::string> tunectl_command(std::vector<std::string> arguments) const;

  std::string directory_;
  std::unique_ptr<Program> daemon_;
};

}  // namespace kiln::test
