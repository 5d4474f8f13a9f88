#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "client/tunectl/commands/commands.h"
#include "client/tunectl/config_words.h"
#include "client/tunectl/failure.h"
#include "client/tunectl/json.h"
#include "client/tunectl/launch_sheet.h"
#include "client/tunectl/local_problem.h"
#include "client/tunectl/output_file.h"
#include "client/tunectl/resource_text.h"
#include "client/tunectl/table.h"
#include "client/tunectl/units.h"
#include "devices/compiler.h"
#include "proto/problem.h"
#include "server/configuration.h"
#include "tuner/compile_pool.h"
#include "tuner/resources.h"

namespace kiln::tunectl {
namespace {

using devices::CompileOptions;

struct Options {
  std::vector<std::string> words;
  std::string target = "host";
  std::string config;
  bool all = false;
  uint64_t sample = 0;  // 0: every config
  std::string emit = "code";
  std::string out;
  std::string templates;
  std::string compiler;
  uint64_t max_spill = tuner::kMaxSpillBytes;
};

// Everything that the options name, opened.
struct Work {
  LocalProblem local;
  std::unique_ptr<devices::Compiler> compiler;
  Space space;
  int64_t max_spill;

  const Target& target() const { return compiler->target(); }
  Config default_config() const { return local.family->default_config(local.problem, target()); }
  KernelSource source(const Config& config) const {
    return local.family->source(local.problem, config, target());
  }
  Plan plan(const Config& config) const {
    return local.family->plan(local.problem, config, target());
  }
};

std::string file_name(const Target& target, const std::string& emit) {
  if (emit == "ptx") return "kernel.ptx";
  return target.kind == "cuda" ? "kernel.cubin" : target.kind == "hip" ? "kernel.co" : "kernel.so";
}

StatusOr<Work> open(const Session& session, const Options& options) {
  KILN_ASSIGN_OR_RETURN(const engine::Catalogue catalogue,
                        engine::Catalogue::embedded(options.templates));
  KILN_ASSIGN_OR_RETURN(LocalProblem local, resolve_problem(catalogue, options.words));
  std::string state = session.options().state_directory;
  if (state.empty()) {
    KILN_ASSIGN_OR_RETURN(state, server::default_state_directory());
  }
  StatusOr<std::unique_ptr<devices::Compiler>> compiler =
      devices::open_compiler(options.target, {.sources = catalogue.sources(),
                                              .cache_directory = state + "/compile",
                                              .compiler = options.compiler});
  if (!compiler.ok()) return compiler.status();
  KILN_RETURN_IF_ERROR(local.family->supports((*compiler)->target()));
  Space space = local.family->space(local.problem, (*compiler)->target());
  return Work{std::move(local), *std::move(compiler), std::move(space), int64_t(options.max_spill)};
}

Json config_json(const Config& config, const Space& space) {
  return tunectl::to_json(proto::to_message(config, space));
}

Json artifact_json(const Artifact& artifact) {
  return {{"hash", artifact.hash},           {"bytes", artifact.bytes.size()},
          {"kind", artifact.target_kind},    {"architecture", artifact.architecture},
          {"toolchain", artifact.toolchain}, {"code_identity", artifact.code_identity}};
}

Status compile_one(Session& session, const Options& options, const Work& work) {
  KILN_ASSIGN_OR_RETURN(const Config config,
                        read_config(work.space, work.default_config(), options.config));
  CompileOptions how{.stop = session.stopped()};
  if (options.emit == "ptx") how.form = CompileOptions::Form::kPtx;
  const auto start = std::chrono::steady_clock::now();
  KILN_ASSIGN_OR_RETURN(const devices::Compilation made,
                        work.compiler->compile(work.source(config), how));
  const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
  const Plan plan = work.plan(config);
  tuner::Resources resources;
  if (!made.entries.empty()) {
    resources =
        tuner::resources_of(work.target(), plan, work.local.problem, made.entries, work.max_spill);
  }

  KILN_ASSIGN_OR_RETURN(Json sheet, launch_sheet(plan, work.local.problem));
  Json document = {{"problem", work.local.problem.text(/*all=*/true)},
                   {"target", options.target},
                   {"config", config_json(config, work.space)},
                   {"artifact", artifact_json(made.artifact)},
                   {"resources", to_json(resources)}};
  document.update(sheet);
  if (!options.out.empty()) {
    KILN_RETURN_IF_ERROR(make_directory(options.out));
    const std::string file = file_name(work.target(), options.emit);
    document["artifact"]["file"] = file;
    KILN_RETURN_IF_ERROR(write_file(options.out + "/" + file, made.artifact.bytes));
    KILN_RETURN_IF_ERROR(write_file(options.out + "/launch.json", json_text(document)));
    KILN_RETURN_IF_ERROR(write_file(options.out + "/plan.json", to_json(plan)));
  }
  if (session.json()) {
    session.print(document);
  } else {
    session.out().write(render_details(
        session.out(), {{"config", {work.space.text(config), Style::kBold}},
                        {"compiler", {made.artifact.toolchain}},
                        {"artifact",
                         {fmt::format("{}, {}", made.artifact.hash,
                                      bytes_text(double(made.artifact.bytes.size())))}},
                        {"compiled in", {time_text(took.count())}}}));
    session.out().write(resource_table(resources).render(session.out()));
  }
  if (resources.verdict.ok()) return absl::OkStatus();
  return failure(ExitCode::kFailed, std::string(resources.verdict.message()));
}

// What became of one point of the space.
struct Outcome {
  Config config;
  Status compiled;
  tuner::Resources resources;
  double ms = 0;
};

using Points = std::vector<std::vector<uint16_t>>;

// Spread evenly over the space's order, its first point included; all where `count` is 0.
Points sampled(const Points& points, size_t count) {
  if (count == 0 || count >= points.size()) return points;
  Points chosen;
  for (size_t i = 0; i < count; ++i)
    chosen.push_back(points[i * points.size() / count]);
  return chosen;
}

std::vector<Outcome> compile_space(Session& session, const Work& work, const Points& points) {
  const tuner::CompilePool pool(*work.compiler, 0);
  std::vector<Outcome> outcomes;
  const size_t batch = size_t(pool.processes()) * 8;
  for (size_t first = 0; first < points.size() && !session.stopped().stop_requested();
       first += batch) {
    std::vector<Config> configs;
    std::vector<KernelSource> sources;
    for (size_t i = first; i < std::min(points.size(), first + batch); ++i) {
      configs.push_back(work.space.config(points[i]));
      sources.push_back(work.source(configs.back()));
    }
    const std::vector<tuner::Compiled> compiled = pool.compile(sources, 0, session.stopped());
    for (size_t i = 0; i < configs.size(); ++i) {
      Outcome outcome{configs[i], compiled[i].artifact.status(), {}, compiled[i].ms};
      if (compiled[i].artifact.ok()) {
        outcome.resources =
            tuner::resources_of(work.target(), work.plan(configs[i]), work.local.problem,
                                compiled[i].entries, work.max_spill);
      }
      outcomes.push_back(std::move(outcome));
    }
    session.note(fmt::format("{} of {} compiled", outcomes.size(),
                             counted_text(int64_t(points.size()), "variant")));
  }
  return outcomes;
}

Json to_json(const Outcome& outcome, const Space& space) {
  Json json = {{"config", config_json(outcome.config, space)},
               {"compile_ms", outcome.ms},
               {"outcome", !outcome.compiled.ok()            ? "failed"
                           : !outcome.resources.verdict.ok() ? "pruned"
                                                             : "ok"},
               {"reason", outcome.compiled.ok() ? std::string(outcome.resources.verdict.message())
                                                : std::string(outcome.compiled.message())}};
  json["resources"] = tunectl::to_json(outcome.resources);
  return json;
}

Status compile_all(Session& session, const Options& options, const Work& work) {
  if (!options.config.empty()) return usage_error("--all takes every config; leave --config out");
  if (options.emit != "code") return usage_error("--all looks at machine code; leave --emit out");
  KILN_RETURN_IF_ERROR(work.compiler->version().status());
  KILN_ASSIGN_OR_RETURN(const Points admitted, work.space.enumerate());
  const Points points = sampled(admitted, options.sample);
  const std::vector<Outcome> outcomes = compile_space(session, work, points);
  if (session.stopped().stop_requested()) {
    return failure(ExitCode::kInterrupted, "stopped");
  }
  size_t failed = 0, pruned = 0;
  double ms = 0;
  Table bad({{"config", Align::kLeft, Fit::kWrap}, {"why not", Align::kLeft, Fit::kWrap}});
  Json document = {{"problem", work.local.problem.text(/*all=*/true)},
                   {"target", options.target},
                   {"admitted", admitted.size()},
                   {"variants", Json::array()}};
  for (const Outcome& outcome : outcomes) {
    ms += outcome.ms;
    failed += !outcome.compiled.ok();
    pruned += !outcome.resources.verdict.ok();
    document["variants"].push_back(to_json(outcome, work.space));
    const Status& why = outcome.compiled.ok() ? outcome.resources.verdict : outcome.compiled;
    if (!why.ok()) bad.add({{work.space.text(outcome.config)}, {std::string(why.message())}});
  }
  document["compiled"] = outcomes.size() - failed;
  document["failed"] = failed;
  document["pruned"] = pruned;
  if (!options.out.empty()) {
    KILN_RETURN_IF_ERROR(make_directory(options.out));
    KILN_RETURN_IF_ERROR(write_file(options.out + "/variants.json", json_text(document)));
  }
  if (session.json()) {
    session.print(document);
  } else {
    std::vector<tuner::Resources> kept;
    for (const Outcome& outcome : outcomes) {
      if (outcome.compiled.ok() && outcome.resources.verdict.ok())
        kept.push_back(outcome.resources);
    }
    session.out().write(bad.render(session.out()));
    session.out().write(render_details(
        session.out(),
        {{"admitted", {count_text(int64_t(admitted.size()))}},
         {"variants", {count_text(int64_t(outcomes.size()))}},
         {"usable", {count_text(int64_t(kept.size()))}},
         {"pruned", {count_text(int64_t(pruned))}},
         {"failed", {count_text(int64_t(failed)), failed ? Style::kBad : Style::kPlain}},
         {"resources", {range_text(kept)}},
         {"a variant takes",
          {time_text(1e6 * ms / double(std::max<size_t>(1, outcomes.size())))}}}));
  }
  if (failed == 0) return absl::OkStatus();
  return failure(ExitCode::kFailed,
                 fmt::format("{} do not compile", counted_text(int64_t(failed), "variant")));
}

Status compile(Session& session, const Options& options) {
  if (options.sample != 0 && !options.all) return usage_error("--sample belongs to --all");
  KILN_ASSIGN_OR_RETURN(const Work work, open(session, options));
  Status status =
      options.all ? compile_all(session, options, work) : compile_one(session, options, work);
  // Not the service's absence, which has an exit code of its own.
  if (absl::IsUnavailable(status)) return failure(ExitCode::kFailed, std::string(status.message()));
  return status;
}

}  // namespace

Action declare_compile(OptionSet& set) {
  auto options = std::make_shared<Options>();
  set.words("problem", options->words, OptionSet::Need::kRequired, "FAMILY field=value …");
  set.text("--target NAME", options->target,
           "host, host:avx2, sm_80, sm_90a, gfx942, … (no device needed)");
  set.text("--config CONFIG", options->config,
           "parameter=value …; the default config's where left out");
  set.flag("--all", options->all, "Compile the whole space and say what is usable");
  set.number("--sample COUNT", options->sample, "With --all: so many configs, evenly spread");
  set.choice("--emit", options->emit, {"code", "ptx"}, "Machine code, or PTX (targets sm_…)");
  set.text("--out DIR", options->out, "Write the artifact, launch.json and plan.json there");
  set.number("--max-spill BYTES", options->max_spill, "Bytes of registers that a thread may spill");
  set.text("--templates DIR", options->templates,
           "Directory whose kernel sources replace built-in ones");
  set.text("--compiler PATH", options->compiler, "clang++ to use; default the first in PATH");
  return [options](Session& session) { return compile(session, *options); };
}

}  // namespace kiln::tunectl
