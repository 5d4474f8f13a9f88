#include "client/tunectl/app.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>

#include "client/tunectl/commands/commands.h"
#include "client/tunectl/connection.h"
#include "client/tunectl/failure.h"
#include "client/tunectl/text.h"
#include "proto/endpoint.h"

namespace kiln::tunectl {
namespace {

constexpr Command kCommands[] = {
    {"families", "List the families of kernels", declare_families},
    {"describe", "Show a family's fields, and the space of a problem", declare_describe},
    {"devices", "List the devices and what they reach", declare_devices},
    {"tune", "Find the best kernel for a problem by measuring", declare_tune},
    {"pretune", "Tune every problem of a workload file", declare_pretune},
    {"get", "Fetch the best kernel known for a problem", declare_get},
    {"compile", "Compile a variant, or a whole space, for any target", declare_compile},
    {"workload", "Write a problem's inputs, expected outputs and tolerances as .npy files",
     declare_workload},
    {"list", "List winners", declare_list},
    {"report", "List winners with config, part of the peak, gain and error", declare_report},
    {"show", "Show a winner and all that was measured for it", declare_show},
    {"export", "Write winners as JSON", declare_export},
    {"import", "Take measurements made elsewhere as candidates", declare_import},
    {"delete", "Delete winners", declare_delete},
    {"gc", "Remove artifacts and measurements beyond the bounds", declare_gc},
    {"jobs", "List tuning jobs", declare_jobs},
    {"watch", "Show a job's progress until it ends", declare_watch},
    {"cancel", "Cancel a job", declare_cancel},
    {"doctor", "Say what works here, what is missing and how to get it", declare_doctor},
};

constexpr char kVersion[] = "tunectl " KILN_VERSION;

constexpr char kFooter[] =
    "A problem is written FAMILY field=value …, for example\n"
    "  tunectl tune attention_forward batch=1 heads_q=32 heads_kv=8 seq_q=2048 seq_kv=2048 \\\n"
    "      head_dim=128 causal=true dtype=bf16 --budget 20s\n"
    "\n"
    "Exit codes: 0 done; 1 the work failed; 2 wrong command line, problem or workload file;\n"
    "3 no daemon answers; 4 not found; 5 tuning found no variant that works; 130 interrupted.";

// As written on the command line.
struct GlobalWords {
  std::string output = "table";
  std::string color = "auto";
};

void declare_global_options(OptionSet set, GlobalOptions& options, GlobalWords& words) {
  set.text("--socket PATH", options.socket,
           "The daemon's socket (default " + proto::default_socket() + ")");
  set.flag("--embedded", options.embedded, "Work in this process, without a daemon");
  set.text("--state-dir DIR", options.state_directory,
           "Database and artifacts of --embedded (default: the daemon's)");
  set.choice("--output", words.output, {"table", "json"},
             "Tables for people, or one JSON document on the output");
  set.choice("--color", words.color, {"auto", "always", "never"},
             "auto: only on a terminal, and not with NO_COLOR set");
  set.flag("-q,--quiet", options.quiet, "No progress and no remarks");
}

void read(const GlobalWords& words, GlobalOptions& options) {
  options.json = words.output == "json";
  options.color = words.color == "always"  ? ColorMode::kAlways
                  : words.color == "never" ? ColorMode::kNever
                                           : ColorMode::kAuto;
}

void tell(Environment& environment, const Status& status) {
  Terminal& err = environment.err;
  err.write(fmt::format("{}{}\n", err.paint(Style::kBad, "tunectl: "),
                        safe_text(std::string(status.message()), /*keep_lines=*/true)));
  if (const std::string what = remedy(status); !what.empty()) {
    err.write(fmt::format("  {}\n", safe_text(what, /*keep_lines=*/true)));
  }
  err.flush();
}

// What a command's --device names. A fingerprint says which winners are meant, not what to serve.
std::string named_device(const CLI::App& command) {
  const CLI::Option* option = command.get_option_no_throw("--device");
  if (option == nullptr || option->empty()) return {};
  std::string name = option->as<std::string>();
  return name.find('/') == std::string::npos ? name : std::string();
}

// CLI11 signals help, version and errors by exceptions; they end here.
std::optional<int> parse(CLI::App& app, const std::vector<std::string>& arguments,
                         Environment& environment) {
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  try {
    app.parse(std::move(reversed));
    return std::nullopt;
  } catch (const CLI::CallForHelp&) {
    for (const CLI::App* chosen : app.get_subcommands()) {
      environment.out.write(chosen->help("tunectl"));
      return static_cast<int>(ExitCode::kOk);
    }
    environment.out.write(app.help());
    return static_cast<int>(ExitCode::kOk);
  } catch (const CLI::CallForVersion&) {
    environment.out.write(fmt::format("{}\n", kVersion));
    return static_cast<int>(ExitCode::kOk);
  } catch (const CLI::ParseError& error) {
    const auto chosen = app.get_subcommands();
    tell(environment,
         usage_error(error.what(), fmt::format("`tunectl {}{}--help` explains",
                                               chosen.empty() ? "" : chosen.front()->get_name(),
                                               chosen.empty() ? "" : " ")));
    return static_cast<int>(ExitCode::kUsage);
  }
}

}  // namespace

StatusOr<std::unique_ptr<Connection>> connect_by_options(const GlobalOptions& options) {
  if (options.embedded) return open_embedded(options.state_directory, options.device);
  return connect_to_daemon(options.socket.empty() ? proto::default_socket() : options.socket);
}

int run(const std::vector<std::string>& arguments, Environment& environment) {
  GlobalOptions options;
  CLI::App app("Tunes kernels and looks after what was tuned.", "tunectl");
  app.require_subcommand(1);
  app.set_version_flag("--version", kVersion);
  app.footer(kFooter);
  GlobalWords words;
  declare_global_options(OptionSet(app), options, words);
  std::map<const CLI::App*, Action> actions;
  for (const Command& command : kCommands) {
    CLI::App* subcommand = app.add_subcommand(command.name, command.description);
    subcommand->fallthrough();  // global options may stand behind the command
    subcommand->set_version_flag("--version", kVersion);
    OptionSet set(*subcommand);
    actions[subcommand] = command.declare(set);
  }
  if (const std::optional<int> ended = parse(app, arguments, environment)) {
    environment.out.flush();
    return *ended;
  }
  read(words, options);
  environment.out.set_color(options.color);
  environment.err.set_color(options.color);

  options.device = named_device(*app.get_subcommands().front());
  Session session(environment, options);
  Status status = actions.at(app.get_subcommands().front())(session);
  if (!environment.out.flush() && status.ok()) {
    status = failure(ExitCode::kFailed, "the output could not be written");
  }
  if (!status.ok()) tell(environment, status);
  return static_cast<int>(exit_code(status));
}

}  // namespace kiln::tunectl
