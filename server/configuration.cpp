#include "server/configuration.h"

#include <unistd.h>
#include <yaml-cpp/yaml.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <sstream>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "proto/endpoint.h"

namespace kiln::server {
namespace {

using Setter = std::function<Status(const std::string& text, Configuration&)>;

constexpr double kMaxBudgetSeconds = 86'400;

Setter text_of(std::string Configuration::* member) {
  return [member](const std::string& text, Configuration& configuration) {
    configuration.*member = text;
    return absl::OkStatus();
  };
}

Setter text_of(std::string engine::EngineOptions::* member) {
  return [member](const std::string& text, Configuration& configuration) {
    configuration.engine.*member = text;
    return absl::OkStatus();
  };
}

Setter count_of(std::function<void(int64_t, Configuration&)> set, int64_t max) {
  return [set = std::move(set), max](const std::string& text, Configuration& configuration) {
    int64_t value = 0;
    if (!absl::SimpleAtoi(text, &value) || value < 0 || value > max) {
      return invalid_field("", text, absl::StrCat("a whole number between 0 and ", max));
    }
    set(value, configuration);
    return absl::OkStatus();
  };
}

Status set_idle_load(const std::string& text, Configuration& configuration) {
  double load = 0;
  if (!absl::SimpleAtod(text, &load) || !(load >= 0 && load <= 1)) {
    return invalid_field("idle_load", text, "a number between 0 and 1");
  }
  configuration.engine.idle_load = load;
  return absl::OkStatus();
}

// Keys whose value is one scalar. `devices` is a list and stands apart.
const std::map<std::string, Setter>& scalar_keys() {
  static const std::map<std::string, Setter> keys = {
      {"socket", text_of(&Configuration::socket)},
      {"state_dir", text_of(&engine::EngineOptions::state_directory)},
      {"templates", text_of(&engine::EngineOptions::templates_directory)},
      {"compiler", text_of(&engine::EngineOptions::compiler)},
      {"worker", text_of(&engine::EngineOptions::worker_path)},
      {"background", set_background},
      {"background_budget", set_background_budget},
      {"idle_load", set_idle_load},
      {"log_level", set_log_level},
      {"compile_processes",
       count_of([](int64_t n, Configuration& c) { c.engine.compile_processes = int(n); }, 1024)},
      {"artifact_bytes",
       count_of([](int64_t n, Configuration& c) { c.engine.gc.artifact_bytes = n; }, INT64_MAX)},
      {"measurements",
       count_of([](int64_t n, Configuration& c) { c.engine.gc.measurements = n; }, INT64_MAX)},
  };
  return keys;
}

std::string known_keys() {
  std::vector<std::string> names = {"devices"};
  for (const auto& [name, setter] : scalar_keys())
    names.push_back(name);
  return absl::StrJoin(names, ", ");
}

// The failure of a setter under the key's name.
Status for_key(const std::string& key, const Status& status) {
  const std::optional<FieldViolation> violation = field_violation(status);
  return violation ? invalid_field(key, violation->value, violation->expected) : status;
}

Status set_devices(const YAML::Node& node, Configuration& configuration) {
  constexpr char kExpected[] = "a list of device names, as in [host]";
  if (!node.IsSequence() || node.size() == 0) return invalid_field("devices", "", kExpected);
  std::vector<std::string> devices;
  for (const YAML::Node& device : node) {
    if (!device.IsScalar()) return invalid_field("devices", "", kExpected);
    devices.push_back(device.Scalar());
  }
  configuration.engine.devices = std::move(devices);
  return absl::OkStatus();
}

Status set(const std::string& key, const YAML::Node& value, Configuration& configuration) {
  if (key == "devices") return set_devices(value, configuration);
  const auto found = scalar_keys().find(key);
  if (found == scalar_keys().end()) {
    return absl::InvalidArgumentError(
        absl::StrCat("unknown key ", printable(key), ": expected one of ", known_keys()));
  }
  if (!value.IsScalar()) {
    return invalid_field(key,
                         value.IsSequence() ? "a list"
                         : value.IsMap()    ? "a map"
                                            : "nothing",
                         "one value");
  }
  return for_key(key, found->second(value.Scalar(), configuration));
}

StatusOr<Configuration> parse(const std::string& path, const std::string& text,
                              Configuration configuration) {
  const YAML::Node root = YAML::Load(text);
  if (root.IsNull()) return configuration;
  if (!root.IsMap()) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ":1: expected a map of keys, as in `background: idle`"));
  }
  std::set<std::string> seen;
  for (const auto& entry : root) {
    const YAML::Node& key = entry.first;
    const std::string at = absl::StrCat(path, ":", key.Mark().line + 1);
    if (!key.IsScalar()) return absl::InvalidArgumentError(at + ": expected a key");
    if (!seen.insert(key.Scalar()).second) {
      return absl::InvalidArgumentError(absl::StrCat(at, ": ", key.Scalar(), " is given twice"));
    }
    const Status status = set(key.Scalar(), entry.second, configuration);
    if (!status.ok()) return annotate(status, at);
  }
  return configuration;
}

}  // namespace

StatusOr<std::string> default_state_directory() {
  const char* state = std::getenv("XDG_STATE_HOME");
  if (state != nullptr && state[0] == '/') return std::string(state) + "/kiln";
  if (geteuid() == 0) return std::string("/var/lib/kiln");
  const char* home = std::getenv("HOME");
  if (home != nullptr && home[0] == '/') return std::string(home) + "/.local/state/kiln";
  return absl::FailedPreconditionError(
      "neither HOME nor XDG_STATE_HOME is set: say where to keep state with --state-dir");
}

Configuration Configuration::defaults() {
  Configuration configuration;
  configuration.socket = proto::default_socket();
  // Without a home a flag or the file has to say.
  configuration.engine.state_directory = default_state_directory().value_or("");
  return configuration;
}

StatusOr<Configuration> read_configuration(const std::string& path, Configuration configuration) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  if (!file) {
    return absl::NotFoundError(absl::StrCat("cannot read the configuration file ", path));
  }
  try {
    return parse(path, text.str(), std::move(configuration));
  } catch (const YAML::Exception& fault) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ":", fault.mark.line + 1, ": ", fault.msg));
  }
}

Status set_background(const std::string& text, Configuration& configuration) {
  using engine::Background;
  static const std::map<std::string, Background> names = {
      {"never", Background::kNever}, {"idle", Background::kIdle}, {"always", Background::kAlways}};
  const auto found = names.find(text);
  if (found == names.end()) return invalid_field("background", text, "never, idle or always");
  configuration.engine.background = found->second;
  return absl::OkStatus();
}

Status set_background_budget(const std::string& text, Configuration& configuration) {
  absl::string_view digits = text;
  absl::ConsumeSuffix(&digits, "s");
  double seconds = 0;
  if (!absl::SimpleAtod(digits, &seconds) || !(seconds > 0 && seconds <= kMaxBudgetSeconds)) {
    return invalid_field("background_budget", text, "seconds up to a day, as in 20s");
  }
  configuration.engine.background_budget =
      std::chrono::milliseconds(int64_t(std::ceil(seconds * 1000)));
  return absl::OkStatus();
}

Status set_log_level(const std::string& text, Configuration& configuration) {
  static const std::set<std::string> levels = {"trace", "debug",    "info", "warning",
                                               "error", "critical", "off"};
  if (!levels.contains(text)) {
    return invalid_field("log_level", text, absl::StrJoin(levels, ", "));
  }
  configuration.log_level = text;
  return absl::OkStatus();
}

}  // namespace kiln::server
