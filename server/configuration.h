// What kilnd is told: by its configuration file, then by flags, which win.
//
// The file is YAML, one map; docs/kilnd.md lists the keys:
//
//     socket: /run/kiln/kilnd.sock
//     devices: [host]
//     background: idle          # never, idle or always
//     background_budget: 20s

#pragma once

#include <string>

#include "core/status.h"
#include "engine/engine.h"

namespace kiln::server {

struct Configuration {
  std::string socket;  // an absolute path
  engine::EngineOptions engine;
  std::string log_level = "info";  // trace, debug, info, warning, error, critical or off

  // The defaults of this user's environment; without a home the state directory stays empty.
  static Configuration defaults();
};

// $XDG_STATE_HOME/kiln; without that variable /var/lib/kiln for root and ~/.local/state/kiln for
// others. FAILED_PRECONDITION when there is no home.
StatusOr<std::string> default_state_directory();

// `configuration` with what the file says. Failures read "FILE:LINE: key = value: expected …";
// unknown keys and keys given twice are failures.
StatusOr<Configuration> read_configuration(const std::string& path, Configuration configuration);

// Settings that the file and the flags share, from text.
Status set_background(const std::string& text, Configuration& configuration);
Status set_background_budget(const std::string& text, Configuration& configuration);
Status set_log_level(const std::string& text, Configuration& configuration);

}  // namespace kiln::server
