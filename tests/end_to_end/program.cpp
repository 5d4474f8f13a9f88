#include "tests/end_to_end/program.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

extern char** environ;

namespace kiln::test {
namespace {

using Clock = std::chrono::steady_clock;

pid_t start(const std::vector<std::string>& command, const std::string& out,
            const std::string& err) {
  std::vector<char*> arguments;
  for (const std::string& word : command)
    arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  constexpr int kWrite = O_WRONLY | O_CREAT | O_APPEND;
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, out.c_str(), kWrite, 0600);
  if (err == out) {
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
  } else {
    posix_spawn_file_actions_addopen(&actions, 2, err.c_str(), kWrite, 0600);
  }
  pid_t pid = -1;
  const int error = posix_spawn(&pid, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::runtime_error("cannot start " + command[0]);
  return pid;
}

int exit_code(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

// Whether the child ended within `timeout`.
bool reap(pid_t pid, std::chrono::seconds timeout, int* status) {
  const auto end = Clock::now() + timeout;
  do {
    if (waitpid(pid, status, WNOHANG) == pid) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  } while (Clock::now() < end);
  return false;
}

}  // namespace

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

Finished run(const std::vector<std::string>& command, std::chrono::seconds timeout) {
  char directory[] = "/tmp/kiln-run-XXXXXX";
  if (mkdtemp(directory) == nullptr) throw std::runtime_error("no temporary directory");
  const std::string out = std::string(directory) + "/out";
  const std::string err = std::string(directory) + "/err";
  const pid_t pid = start(command, out, err);
  int status = 0;
  if (!reap(pid, timeout, &status)) {
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
  }
  Finished finished{exit_code(status), read_file(out), read_file(err)};
  unlink(out.c_str());
  unlink(err.c_str());
  rmdir(directory);
  return finished;
}

Program::Program(const std::vector<std::string>& command, const std::string& log)
    : pid_(start(command, log, log)) {}

Program::~Program() {
  if (!running()) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, &status_, 0);
}

bool Program::running() {
  if (!reaped_) reaped_ = waitpid(pid_, &status_, WNOHANG) == pid_;
  return !reaped_;
}

void Program::signal(int number) {
  kill(pid_, number);
}

int Program::wait(std::chrono::seconds timeout) {
  if (!reaped_) reaped_ = reap(pid_, timeout, &status_);
  return reaped_ ? exit_code(status_) : -1;
}

}  // namespace kiln::test
