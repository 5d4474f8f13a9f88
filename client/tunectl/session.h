// What every command works with: the service, the two outputs, the stop request.
//
// Results go to `out` (stdout), everything said along the way to `err`. With --output json a
// command prints exactly one document.

#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "client/tunectl/api.h"
#include "client/tunectl/json.h"
#include "client/tunectl/labels.h"
#include "client/tunectl/schemas.h"
#include "client/tunectl/terminal.h"
#include "core/status.h"

namespace kiln::tunectl {

struct GlobalOptions {
  std::string socket;           // empty: the default
  std::string state_directory;  // of --embedded; empty: the default
  std::string device;           // that the command names; --embedded serves it, else the host
  bool embedded = false;
  bool json = false;
  bool quiet = false;
  ColorMode color = ColorMode::kAuto;
};

// What the program gets from outside; tests bring their own.
struct Environment {
  Terminal& out;
  Terminal& err;
  std::stop_source stop;  // requested by Ctrl-C
  std::function<StatusOr<std::unique_ptr<Connection>>(const GlobalOptions&)> connect;
  std::function<absl::Time()> now;
};

class Session {
 public:
  Session(Environment& environment, const GlobalOptions& options);

  Api& api() { return api_; }
  Schemas& schemas() { return schemas_; }
  Labels& labels() { return labels_; }

  Environment& environment() { return environment_; }
  const GlobalOptions& options() const { return options_; }
  bool json() const { return options_.json; }
  std::stop_token stopped() const { return environment_.stop.get_token(); }
  absl::Time now() const { return environment_.now(); }
  const std::function<absl::Time()>& clock() const { return environment_.now; }

  Terminal& out() { return environment_.out; }
  Terminal& err() { return environment_.err; }
  void print(const Json& document) { out().write(json_text(document)); }
  // A line to `err`, unless --quiet.
  void note(std::string_view text);

 private:
  Environment& environment_;
  const GlobalOptions& options_;
  Api api_;
  Schemas schemas_;
  Labels labels_;
};

}  // namespace kiln::tunectl
