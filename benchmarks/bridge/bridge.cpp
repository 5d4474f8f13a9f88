#include "benchmarks/bridge/bridge.h"

#include <condition_variable>
#include <cstring>
#include <memory>
#include <mutex>
#include <new>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "benchmarks/bridge/probes.h"
#include "core/key.h"
#include "devices/device.h"
#include "engine/engine.h"
#include "runtime/host/thread_pool.h"
#include "runtime/kernel.h"
#include "templates/registry.h"

using nlohmann::json;

struct KilnBench {
  std::unique_ptr<kiln::engine::Engine> engine;
  std::unique_ptr<kiln::devices::Device> device;
  std::unique_ptr<kiln::bench::Probes> probes;
};

struct KilnBenchKernel {
  std::string config;
  kiln::runtime::Dispatch dispatch;
  std::vector<kiln::Buffer> arguments;
  std::vector<kiln::runtime::Tensor> tensors;
  std::vector<std::byte> workspace;
  void* aligned_workspace = nullptr;
};

namespace {

using kiln::Config;
using kiln::Family;
using kiln::Problem;
using kiln::Provenance;
using kiln::Status;
using kiln::StatusOr;
namespace db = kiln::db;
namespace engine = kiln::engine;

constexpr size_t kWorkspaceAlignment = 64;
constexpr int64_t kMeasurementPage = 1000;

thread_local std::string last_error;
thread_local std::string last_text;

const char* text(const json& document) {
  last_text = document.dump();
  return last_text.c_str();
}

void fail(const Status& status) {
  last_error = std::string(status.message());
}

StatusOr<Problem> read_problem(const KilnBench& bench, const char* family_name,
                               const char* fields) {
  KILN_ASSIGN_OR_RETURN(const Family* family, bench.engine->family(family_name));
  std::vector<std::pair<std::string, kiln::Value>> given;
  std::istringstream words(fields);
  std::string word;
  while (words >> word) {
    const size_t equals = word.find('=');
    if (equals == std::string::npos) {
      return absl::InvalidArgumentError("\"" + word + "\": expected field=value");
    }
    const std::string name = word.substr(0, equals);
    const auto index = family->schema().find(name);
    if (!index) return kiln::invalid_field(name, word.substr(equals + 1), "a field of the family");
    KILN_ASSIGN_OR_RETURN(kiln::Value value,
                          family->schema().parse(*index, word.substr(equals + 1)));
    given.emplace_back(name, std::move(value));
  }
  return bench.engine->problem(family_name, given);
}

json describe(const db::MeasurementRow& row, int64_t start_unix_ns) {
  return {{"at_seconds", double(row.measurement.unix_ns - start_unix_ns) * 1e-9},
          {"median_ns", row.measurement.timing.median_ns},
          {"verdict", kiln::name_of(row.measurement.verdict)},
          {"config", row.measurement.config.text()}};
}

// Waits for the job's end.
StatusOr<engine::JobView> finish(engine::Engine& engine, int64_t id) {
  std::mutex mutex;
  std::condition_variable ended;
  std::optional<engine::JobView> last;
  KILN_ASSIGN_OR_RETURN(auto subscription,
                        engine.watch(id, [&](const engine::JobView& view, bool is_last) {
                          if (!is_last) return;
                          const std::lock_guard lock(mutex);
                          last = view;
                          ended.notify_one();
                        }));
  std::unique_lock lock(mutex);
  ended.wait(lock, [&] { return last.has_value(); });
  return *last;
}

StatusOr<std::vector<db::MeasurementRow>> all_measurements(engine::Engine& engine,
                                                           const db::WinnerRow& winner) {
  std::vector<db::MeasurementRow> rows;
  db::Page page{.after = 0, .limit = kMeasurementPage};
  while (true) {
    KILN_ASSIGN_OR_RETURN(auto more, engine.measurements(winner, page));
    if (more.empty()) return rows;
    page.after = more.back().id;
    rows.insert(rows.end(), std::make_move_iterator(more.begin()),
                std::make_move_iterator(more.end()));
  }
}

StatusOr<std::optional<db::WinnerRow>> fresh_winner(KilnBench& bench, const Problem& problem) {
  const db::WinnerFilter filter = {.family = problem.family(),
                                   .fingerprint = bench.device->fingerprint().text(),
                                   .problem_key = kiln::problem_key(problem),
                                   .statics_key = {}};
  KILN_ASSIGN_OR_RETURN(auto winners, bench.engine->winners(filter, {.after = 0, .limit = 1}));
  if (winners.empty() || bench.engine->stale(winners.front())) return std::nullopt;
  return winners.front();
}

StatusOr<json> tune(KilnBench& bench, const Problem& problem, double seconds, bool force) {
  json result = {{"tuned_now", false}, {"seconds", 0.0}, {"space_size", 0}};
  std::optional<db::WinnerRow> winner;
  if (!force) {
    KILN_ASSIGN_OR_RETURN(winner, fresh_winner(bench, problem));
  }
  int64_t job_id = 0;
  int64_t started = 0;
  if (!winner) {
    engine::TuneRequest request;
    request.force = force;
    request.options.budget.time = std::chrono::milliseconds(int64_t(seconds * 1000));
    KILN_ASSIGN_OR_RETURN(engine::JobView job, bench.engine->tune(problem, request));
    job_id = job.row.id;
    KILN_ASSIGN_OR_RETURN(job, finish(*bench.engine, job_id));
    if (job.row.state != db::JobState::kSucceeded) {
      return absl::InternalError("tuning " + std::string(db::name_of(job.row.state)) + ": " +
                                 job.row.error);
    }
    KILN_ASSIGN_OR_RETURN(winner, bench.engine->winner(job.row.winner_id));
    started = job.row.started_unix_ns;
    result["tuned_now"] = true;
    result["seconds"] = double(job.row.finished_unix_ns - started) * 1e-9;
    result["space_size"] = job.progress.space_size;
  }
  KILN_ASSIGN_OR_RETURN(const auto rows, all_measurements(*bench.engine, *winner));
  json measurements = json::array();
  for (const auto& row : rows) {
    if (job_id == 0 || row.job_id == job_id) measurements.push_back(describe(row, started));
  }
  result["evaluations"] = winner->evaluations;
  result["config"] = winner->measurement.config.text();
  result["winner_ns"] = winner->measurement.timing.median_ns;
  result["default_ns"] = winner->baseline ? winner->baseline->timing.median_ns : 0.0;
  result["measurements"] = std::move(measurements);
  return result;
}

struct Loaded {
  std::shared_ptr<const kiln::runtime::Kernel> kernel;
  std::string config;
};

StatusOr<Loaded> load_winner(KilnBench& bench, const Problem& problem) {
  engine::Policy policy;
  policy.frozen = true;
  KILN_ASSIGN_OR_RETURN(const auto answer,
                        bench.engine->get_kernel(problem, "host", policy, std::stop_token()));
  if (!answer.artifact || answer.provenance.kind != Provenance::Kind::kTuned) {
    return absl::NotFoundError("not tuned: " + problem.text());
  }
  KILN_ASSIGN_OR_RETURN(auto kernel, kiln::runtime::Kernel::load(*answer.artifact, *answer.plan));
  return Loaded{std::move(kernel), answer.space->text(answer.config)};
}

StatusOr<Loaded> load_default(KilnBench& bench, const Problem& problem) {
  KILN_ASSIGN_OR_RETURN(const Family* family, bench.engine->family(problem.family()));
  const kiln::Target& target = bench.device->target();
  const Config config = family->default_config(problem, target);
  KILN_ASSIGN_OR_RETURN(const auto artifact,
                        bench.device->compile(family->source(problem, config, target), {}));
  KILN_ASSIGN_OR_RETURN(
      auto kernel, kiln::runtime::Kernel::load(artifact, family->plan(problem, config, target)));
  return Loaded{std::move(kernel), family->space(problem, target).text(config)};
}

StatusOr<std::unique_ptr<KilnBenchKernel>> prepare(const Loaded& loaded, const Problem& problem) {
  KILN_ASSIGN_OR_RETURN(auto dispatch, loaded.kernel->prepare(problem.sizes(), problem.scalars()));
  auto kernel = std::make_unique<KilnBenchKernel>(
      KilnBenchKernel{loaded.config, std::move(dispatch), loaded.kernel->arguments(), {}, {}});
  kernel->tensors.resize(kernel->arguments.size());
  const int workers = kiln::runtime::ThreadPool::shared().workers();
  const size_t bytes = size_t(kernel->dispatch.workspace_bytes(workers));
  if (bytes > 0) {
    kernel->workspace.resize(bytes + kWorkspaceAlignment);
    void* start = kernel->workspace.data();
    size_t room = kernel->workspace.size();
    kernel->aligned_workspace = std::align(kWorkspaceAlignment, bytes, start, room);
  }
  return kernel;
}

StatusOr<std::unique_ptr<KilnBench>> open(const char* state_directory, const char* worker_path) {
  auto bench = std::make_unique<KilnBench>();
  engine::EngineOptions options;
  options.state_directory = state_directory;
  options.worker_path = worker_path;
  options.background = engine::Background::kNever;
  KILN_ASSIGN_OR_RETURN(bench->engine, engine::Engine::open(options));
  const auto& sources = kiln::embedded_sources();
  kiln::devices::DeviceOptions device;
  device.sources = kiln::devices::SourceTree(sources.begin(), sources.end());
  device.cache_directory = std::string(state_directory) + "/default-configs";
  KILN_ASSIGN_OR_RETURN(bench->device, kiln::devices::open_device("host", device));
  bench->probes = std::make_unique<kiln::bench::Probes>(bench->device->target());
  return bench;
}

}  // namespace

extern "C" {

const char* kiln_bench_error() {
  return last_error.c_str();
}

KilnBench* kiln_bench_open(const char* state_directory, const char* worker_path) {
  auto bench = open(state_directory, worker_path);
  if (!bench.ok()) return fail(bench.status()), nullptr;
  return bench->release();
}

void kiln_bench_close(KilnBench* bench) {
  delete bench;
}

const char* kiln_bench_device(KilnBench* bench) {
  const auto& device = *bench->device;
  const auto toolchain = device.toolchain();
  return text({{"model", device.fingerprint().model},
               {"instruction_set", device.fingerprint().instruction_set},
               {"threads", device.target().threads},
               {"llc_bytes", device.target().llc_bytes},
               {"memory_bytes", device.target().memory_bytes},
               {"toolchain", toolchain.ok() ? *toolchain : std::string()},
               {"fingerprint", device.fingerprint().text()}});
}

const char* kiln_bench_problem(KilnBench* bench, const char* family, const char* fields) {
  const auto problem = read_problem(*bench, family, fields);
  if (!problem.ok()) return fail(problem.status()), nullptr;
  const Family* const found = *bench->engine->family(family);
  const kiln::Cost cost = found->cost(*problem);
  return text({{"text", problem->text()},
               {"flops", cost.flops},
               {"bytes", cost.bytes},
               {"bandwidth_bound", cost.bandwidth_bound},
               {"convention", found->cost_convention()}});
}

const char* kiln_bench_tune(KilnBench* bench, const char* family, const char* fields,
                            double budget_seconds, int force) {
  const auto problem = read_problem(*bench, family, fields);
  if (!problem.ok()) return fail(problem.status()), nullptr;
  const auto result = tune(*bench, *problem, budget_seconds, force != 0);
  if (!result.ok()) return fail(result.status()), nullptr;
  return text(*result);
}

KilnBenchKernel* kiln_bench_kernel(KilnBench* bench, const char* family, const char* fields,
                                   int use_default) {
  const auto problem = read_problem(*bench, family, fields);
  if (!problem.ok()) return fail(problem.status()), nullptr;
  const auto loaded =
      use_default != 0 ? load_default(*bench, *problem) : load_winner(*bench, *problem);
  if (!loaded.ok()) return fail(loaded.status()), nullptr;
  auto kernel = prepare(*loaded, *problem);
  if (!kernel.ok()) return fail(kernel.status()), nullptr;
  return kernel->release();
}

void kiln_bench_release(KilnBenchKernel* kernel) {
  delete kernel;
}

const char* kiln_bench_describe(KilnBenchKernel* kernel) {
  json arguments = json::array();
  const auto shapes = kernel->dispatch.arguments();
  for (size_t i = 0; i < kernel->arguments.size(); ++i) {
    const kiln::Buffer& buffer = kernel->arguments[i];
    arguments.push_back({{"name", buffer.name},
                         {"dtype", kiln::name_of(buffer.dtype)},
                         {"shape", shapes[i].shape},
                         {"strides", shapes[i].strides},
                         {"output", buffer.kind == kiln::Buffer::Kind::kOutput},
                         {"optional", buffer.optional}});
  }
  return text({{"config", kernel->config}, {"arguments", std::move(arguments)}});
}

int kiln_bench_launch(KilnBenchKernel* kernel, void* const* data, const int64_t* const* strides) {
  for (size_t i = 0; i < kernel->tensors.size(); ++i)
    kernel->tensors[i] = {data[i], strides[i]};
  const Status status = kernel->dispatch.launch(kernel->tensors, kernel->aligned_workspace,
                                                kiln::runtime::ThreadPool::shared());
  if (!status.ok()) return fail(status), 1;
  return 0;
}

double kiln_bench_probe(KilnBench* bench, const char* kind, double milliseconds) {
  const auto rate = bench->probes->rate(kind, milliseconds);
  if (!rate.ok()) return fail(rate.status()), -1.0;
  return *rate;
}
}
