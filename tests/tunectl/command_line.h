// Runs the program in this process against a service that the test brings.

#pragma once

#include <functional>
#include <memory>
#include <string>

#include "client/tunectl/app.h"
#include "client/tunectl/json.h"
#include "tests/tunectl/capture.h"

namespace kiln::tunectl {

using Connect = std::function<StatusOr<std::unique_ptr<Connection>>(const GlobalOptions&)>;

class CommandLine {
 public:
  explicit CommandLine(Connect connect) : connect_(std::move(connect)) {}

  // Words are separated by spaces, unless within single quotes. Returns the exit code.
  int run(const std::string& words);

  // Ctrl-C, now or while a command runs.
  void interrupt() { stop_.request_stop(); }

  // Of the last run.
  std::string out() { return out_->text(); }
  std::string err() { return err_->text(); }
  Json json() { return Json::parse(out()); }

 private:
  Connect connect_;
  std::stop_source stop_;
  std::unique_ptr<Capture> out_;
  std::unique_ptr<Capture> err_;
};

}  // namespace kiln::tunectl
