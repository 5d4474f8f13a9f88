// The kilnd of this build as a child process, with a socket and a state directory of its own.

#pragma once

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/scratch_directory.h"

extern char** environ;

namespace kiln::testing {

// What a process finds when it starts.
struct Surroundings {
  std::vector<std::string> environment = {};  // "NAME=value", beside this process's own
  int descriptors = 0;                        // that it may have open; 0: as many as this process
};

class KilndProcess {
 public:
  // `flags` as words ("--background", "always") replace the defaults of the same name.
  explicit KilndProcess(std::vector<std::string> flags = {}, Surroundings surroundings = {})
      : flags_(std::move(flags)), surroundings_(std::move(surroundings)) {}
  ~KilndProcess() {
    if (pid_ > 0) end(SIGKILL);
  }
  KilndProcess(const KilndProcess&) = delete;
  KilndProcess& operator=(const KilndProcess&) = delete;

  std::string socket() const { return scratch_ / "run/kilnd.sock"; }
  std::string state() const { return scratch_ / "state"; }
  std::string operator/(const std::string& name) const { return scratch_ / name; }
  pid_t pid() const { return pid_; }

  static std::string program() { return std::string(KILN_BINARY_DIRECTORY) + "/bin/kilnd"; }

  // Starts and waits until it listens.
  void start() {
    spawn();
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (log().find("listens on") == std::string::npos) {
      INFO(log());
      REQUIRE(std::chrono::steady_clock::now() < end);
      REQUIRE(waitpid(pid_, nullptr, WNOHANG) == 0);
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }

  void spawn() {
    std::vector<std::string> words = {program()};
    if (surroundings_.descriptors > 0) {
      const std::string limit = std::to_string(surroundings_.descriptors);
      words = {"/bin/sh", "-c", "ulimit -n " + limit + " && exec \"$0\" \"$@\"", program()};
    }
    const std::pair<std::string, std::string> defaults[] = {
        {"--socket", socket()}, {"--state-dir", state()}, {"--background", "never"}};
    for (const auto& [name, value] : defaults) {
      if (std::find(flags_.begin(), flags_.end(), name) != flags_.end()) continue;
      words.push_back(name);
      words.push_back(value);
    }
    words.insert(words.end(), flags_.begin(), flags_.end());
    std::vector<char*> arguments;
    for (std::string& word : words)
      arguments.push_back(word.data());
    arguments.push_back(nullptr);
    std::vector<char*> environment;
    for (std::string& variable : surroundings_.environment)
      environment.push_back(variable.data());
    for (char** variable = environ; *variable != nullptr; ++variable)
      environment.push_back(*variable);
    environment.push_back(nullptr);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    std::ofstream{log_path()};  // empty
    posix_spawn_file_actions_addopen(&files, 2, log_path().c_str(), O_WRONLY | O_APPEND, 0600);
    posix_spawn_file_actions_adddup2(&files, 2, 1);
    const int failed =
        posix_spawn(&pid_, arguments[0], &files, nullptr, arguments.data(), environment.data());
    posix_spawn_file_actions_destroy(&files);
    REQUIRE(failed == 0);
  }

  void signal(int number) const { kill(pid_, number); }

  // Its exit code; -signal when a signal ended it.
  int wait() {
    int status = 0;
    waitpid(std::exchange(pid_, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  int end(int number) {
    signal(number);
    return wait();
  }

  std::string log() const {
    std::stringstream text;
    text << std::ifstream(log_path()).rdbuf();
    return text.str();
  }

 private:
  std::string log_path() const { return scratch_ / "kilnd.log"; }

  ScratchDirectory scratch_;
  std::vector<std::string> flags_;
  Surroundings surroundings_;
  pid_t pid_ = -1;
};

}  // namespace kiln::testing
