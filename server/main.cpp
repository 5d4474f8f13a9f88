// kilnd: the daemon. docs/kilnd.md describes its flags, its configuration file and its exit codes.

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <optional>

#include "absl/strings/str_join.h"
#include "server/daemon.h"
#include "server/signals.h"

namespace kiln::server {
namespace {

enum ExitCode : int {
  kOk = 0,
  kFailedToStart = 1,  // socket, database or device
  kUsage = 2,          // flags or configuration file
};

// As given on the command line; what is absent leaves the file's word.
struct Flags {
  std::string config;
  std::optional<std::string> socket, state_dir, background, templates, compiler, worker, log_level;
  std::vector<std::string> devices;
};

void define(CLI::App& app, Flags& flags) {
  app.set_version_flag("--version", "kilnd " KILN_VERSION);
  app.add_option("--config", flags.config, "YAML configuration file; read again on SIGHUP");
  app.add_option("--socket", flags.socket,
                 "Unix socket to listen on; default $XDG_RUNTIME_DIR/kiln/kilnd.sock, "
                 "/run/kiln/kilnd.sock for root");
  app.add_option("--state-dir", flags.state_dir,
                 "Directory of the database and the artifacts; default $XDG_STATE_HOME/kiln or "
                 "~/.local/state/kiln, /var/lib/kiln for root");
  app.add_option("--device", flags.devices, "Device to serve (repeatable); default host");
  app.add_option("--background", flags.background,
                 "Tuning of what is asked for: never, idle (the default) or always");
  app.add_option("--templates", flags.templates,
                 "Directory whose kernel sources replace the built-in ones of known families");
  app.add_option("--compiler", flags.compiler, "clang++ to use; default the first in PATH");
  app.add_option("--worker", flags.worker,
                 "kiln-worker to use; default beside this program, then ../libexec/kiln");
  app.add_option("--log-level", flags.log_level,
                 "trace, debug, info (the default), warning, error, critical or off");
  app.footer(
      "Exit codes: 0 stopped by a signal, 1 failed to start, 2 wrong flags or configuration,\n"
      "128 + signal when a second signal cut the stop short.");
}

// Makes paths independent of the working directory.
void set_path(const std::optional<std::string>& given, std::string& path) {
  if (given) path = given->empty() ? "" : std::filesystem::absolute(*given).string();
}

StatusOr<Configuration> configure(const Flags& flags) {
  Configuration configuration = Configuration::defaults();
  if (!flags.config.empty()) {
    KILN_ASSIGN_OR_RETURN(configuration,
                          read_configuration(flags.config, std::move(configuration)));
  }
  set_path(flags.socket, configuration.socket);
  set_path(flags.state_dir, configuration.engine.state_directory);
  set_path(flags.templates, configuration.engine.templates_directory);
  if (flags.compiler) configuration.engine.compiler = *flags.compiler;
  if (flags.worker) configuration.engine.worker_path = *flags.worker;
  if (!flags.devices.empty()) configuration.engine.devices = flags.devices;
  if (flags.background) {
    KILN_RETURN_IF_ERROR(set_background(*flags.background, configuration));
  }
  if (flags.log_level) KILN_RETURN_IF_ERROR(set_log_level(*flags.log_level, configuration));
  return configuration;
}

// A thousand clients need as many file descriptors.
void raise_file_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// The socket comes first: it tells apart two daemons before either touches a database.
StatusOr<std::unique_ptr<Daemon>> start(const Configuration& configuration) {
  if (configuration.engine.state_directory.empty()) {
    KILN_RETURN_IF_ERROR(default_state_directory().status());
  }
  KILN_ASSIGN_OR_RETURN(std::unique_ptr<SocketGuard> socket,
                        SocketGuard::claim(configuration.socket));
  KILN_ASSIGN_OR_RETURN(std::unique_ptr<engine::Engine> engine,
                        engine::Engine::open(configuration.engine));
  return Daemon::start(configuration, std::move(socket), std::move(engine));
}

void reload(const Flags& flags, Daemon& daemon) {
  const StatusOr<Configuration> configuration = configure(flags);
  if (!configuration.ok()) {
    spdlog::error("configuration kept as it was: {}",
                  std::string(configuration.status().message()));
    return;
  }
  const std::vector<std::string> restart = daemon.reload(*configuration);
  if (restart.empty()) {
    spdlog::info("configuration read again");
  } else {
    spdlog::warn("configuration read again; needs a restart: {}", absl::StrJoin(restart, ", "));
  }
}

int run(const Flags& flags) {
  const StatusOr<Configuration> configuration = configure(flags);
  if (!configuration.ok()) {
    std::cerr << "kilnd: " << configuration.status().message() << "\n";
    return kUsage;
  }
  spdlog::set_default_logger(
      std::make_shared<spdlog::logger>("kilnd", std::make_shared<spdlog::sinks::stderr_sink_mt>()));
  spdlog::flush_on(spdlog::level::trace);
  umask(0077);  // the socket, the database and the artifacts are this user's alone
  raise_file_limit();
  Signals::install();

  StatusOr<std::unique_ptr<Daemon>> daemon = start(*configuration);
  if (!daemon.ok()) {
    std::cerr << "kilnd: " << daemon.status().message() << "\n";
    return kFailedToStart;
  }
  spdlog::info("kilnd " KILN_VERSION " {}", (*daemon)->description());
  while (Signals::wait() == Signals::Event::kReload)
    reload(flags, **daemon);
  spdlog::info("stopping");
  (*daemon)->stop();
  spdlog::info("stopped");
  return kOk;
}

}  // namespace
}  // namespace kiln::server

int main(int argc, char** argv) {
  CLI::App app{"Kiln's daemon: answers with kernels tuned on this machine"};
  kiln::server::Flags flags;
  kiln::server::define(app, flags);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const bool asked = error.get_exit_code() == 0;  // --help, --version
    app.exit(error);
    return asked ? kiln::server::kOk : kiln::server::kUsage;
  }
  return kiln::server::run(flags);
}
