#include "tests/end_to_end/house.h"

#include <signal.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <thread>

namespace kiln::test {
namespace {

const std::string kPrograms = std::string(KILN_BINARY_DIRECTORY) + "/bin/";

}  // namespace

House::House() {
  char directory[] = "/tmp/kiln-house-XXXXXX";
  REQUIRE(mkdtemp(directory) != nullptr);
  directory_ = directory;
}

House::~House() {
  daemon_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

void House::open(const std::string& background, const std::vector<std::string>& flags) {
  std::vector<std::string> command = {kPrograms + "kilnd", "--socket", socket(),
                                      "--state-dir",       state(),    "--background",
                                      background};
  command.insert(command.end(), flags.begin(), flags.end());
  daemon_ = std::make_unique<Program>(command, directory_ + "/log");
  for (int attempt = 0; attempt < 200; ++attempt) {
    if (!daemon_->running()) break;
    if (tunectl({"families"}).exit_code == 0) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  FAIL("kilnd does not answer:\n" << log());
}

std::unique_ptr<Program> House::another(const std::vector<std::string>& flags) {
  std::vector<std::string> command = {kPrograms + "kilnd"};
  command.insert(command.end(), flags.begin(), flags.end());
  return std::make_unique<Program>(command, directory_ + "/log2");
}

void House::kill_daemon() {
  daemon_->signal(SIGKILL);
  REQUIRE(daemon_->wait(std::chrono::seconds(5)) == 128 + SIGKILL);
}

int House::stop_daemon() {
  daemon_->signal(SIGTERM);
  return daemon_->wait(std::chrono::seconds(12));
}

std::vector<std::string> House::tunectl_command(std::vector<std::string> arguments) const {
  std::vector<std::string> command = {kPrograms + "tunectl", "--socket", socket()};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return command;
}

Finished House::tunectl(std::vector<std::string> arguments) {
  return run(tunectl_command(std::move(arguments)));
}

nlohmann::json House::ask(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"--output", "json"});
  const Finished finished = tunectl(std::move(arguments));
  INFO(finished.out << finished.err << log());
  REQUIRE(finished.exit_code == 0);
  return nlohmann::json::parse(finished.out);
}

std::unique_ptr<Program> House::tunectl_in_background(std::vector<std::string> arguments) {
  return std::make_unique<Program>(tunectl_command(std::move(arguments)), directory_ + "/tunectl");
}

}  // namespace kiln::test
