#include "engine/local_engine.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "core/key.h"
#include "engine/export.h"
#include "engine/footprint.h"

namespace kiln::engine {
namespace {

constexpr int kJobsBetweenCollections = 50;

// A driver that is missing or does not answer is no reason not to serve the other devices; a device
// that does not exist is a mistake.
bool may_come_back(const Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status);
}

}  // namespace

StatusOr<std::unique_ptr<Engine>> Engine::open(const EngineOptions& options) {
  KILN_ASSIGN_OR_RETURN(Catalogue catalogue, Catalogue::embedded(options.templates_directory));
  KILN_ASSIGN_OR_RETURN(auto store, db::open_sqlite({options.state_directory}));
  return LocalEngine::open(options, std::move(catalogue), std::move(store));
}

StatusOr<std::unique_ptr<LocalEngine>> LocalEngine::open(const EngineOptions& options,
                                                         Catalogue catalogue,
                                                         std::unique_ptr<db::Store> store) {
  std::unique_ptr<LocalEngine> engine(new LocalEngine(options, std::move(catalogue)));
  engine->store_ = std::move(store);
  std::vector<const ServedDevice*> served;
  for (const std::string& name : options.devices) {
    auto device = ServedDevice::open(name, engine->catalogue_, options);
    if (!device.ok() && options.devices.size() > 1 && may_come_back(device.status())) {
      spdlog::warn("{} is not served: {}", name, device.status().ToString());
      engine->missing_.emplace(name, device.status());
      continue;
    }
    KILN_RETURN_IF_ERROR(device.status());
    served.push_back(device->get());
    engine->devices_.push_back(*std::move(device));
  }
  if (served.empty() && !engine->missing_.empty()) return engine->missing_.begin()->second;
  engine->lookup_ =
      std::make_unique<Lookup>(engine->catalogue_, *engine->store_, engine->closing_.get_token());
  engine->jobs_ = std::make_unique<Jobs>(
      engine->catalogue_, *engine->store_, *engine->lookup_, served,
      [raw = engine.get()](const ServedDevice& device, const Problem& problem,
                           const Answer& answer) { raw->on_finished(device, problem, answer); });
  const Status resumed = engine->jobs_->resume(options.background != Background::kNever);
  if (!resumed.ok()) spdlog::warn("jobs are not resumed: {}", resumed.ToString());
  engine->collector_ = std::jthread(
      [raw = engine.get()](const std::stop_token& stop) { raw->collect_in_background(stop); });
  return engine;
}

LocalEngine::~LocalEngine() {
  closing_.request_stop();
  collector_ = {};
  jobs_.reset();
}

StatusOr<const ServedDevice*> LocalEngine::resolve(const std::string& name_or_fingerprint) const {
  if (const auto missing = missing_.find(name_or_fingerprint); missing != missing_.end()) {
    return absl::FailedPreconditionError(fmt::format("device {} is not served: {}", missing->first,
                                                     std::string(missing->second.message())));
  }
  std::string served;
  for (const auto& device : devices_) {
    if (device->name() == name_or_fingerprint ||
        device->fingerprint_text() == name_or_fingerprint) {
      return device.get();
    }
    served += fmt::format("{}{} ({})", served.empty() ? "" : ", ", device->name(),
                          device->fingerprint_text());
  }
  return invalid_field("device", name_or_fingerprint,
                       "a device served here: " + (served.empty() ? "there is none" : served),
                       absl::StatusCode::kFailedPrecondition);
}

Status LocalEngine::check(const ServedDevice& device, const Problem& problem) const {
  const Family& family = catalogue_.family_of(problem);
  KILN_RETURN_IF_ERROR(family.check(problem));
  KILN_RETURN_IF_ERROR(family.supports(device.target()));
  const Config config = family.default_config(problem, device.target());
  return check_memory(family.plan(problem, config, device.target()), problem, device.target());
}

StatusOr<Problem> LocalEngine::problem(
    std::string_view family, const std::vector<std::pair<std::string, Value>>& fields) const {
  KILN_ASSIGN_OR_RETURN(const Family* found, catalogue_.family(family));
  KILN_ASSIGN_OR_RETURN(Problem problem, Problem::make(found->schema(), fields));
  KILN_RETURN_IF_ERROR(found->check(problem));
  // A problem may be for any of the devices: one that can hold it is enough.
  Status memory;
  for (const auto& device : devices_) {
    memory = check(*device, problem);
    if (memory.ok()) break;
  }
  KILN_RETURN_IF_ERROR(memory);
  return problem;
}

StatusOr<JobView> LocalEngine::tune(const Problem& problem, const TuneRequest& request) {
  KILN_ASSIGN_OR_RETURN(const ServedDevice* device, resolve(request.device));
  KILN_RETURN_IF_ERROR(check(*device, problem));
  return jobs_->start(*device, problem, request.request_id,
                      {.tune = request.options, .force = request.force, .automatic = false});
}

bool LocalEngine::stale(const db::WinnerRow& winner) {
  const auto device = resolve(winner.fingerprint);
  const auto problem = catalogue_.problem_of(winner.problem);
  return !device.ok() || !problem.ok() || lookup_->is_stale(**device, *problem, winner);
}

Status LocalEngine::delete_winner(int64_t id) {
  KILN_RETURN_IF_ERROR(store_->delete_winner(id));
  ++winners_changed_;
  cache_.update_all([&](Known& known) {
    for (Answer Known::* kind : {&Known::tuned, &Known::transferred}) {
      if (known.*kind != nullptr && (known.*kind)->provenance.winner_id == id) known.*kind = {};
    }
    known.job_tried = false;  // the next lookup may tune it again
  });
  return absl::OkStatus();
}

StatusOr<std::string> LocalEngine::export_json(const db::WinnerFilter& filter) {
  std::vector<db::WinnerRow> rows;
  db::Page page{.after = 0, .limit = 1000};
  for (;;) {
    KILN_ASSIGN_OR_RETURN(auto more, store_->winners(filter, page));
    if (more.empty()) break;
    page.after = more.back().id;
    std::move(more.begin(), more.end(), std::back_inserter(rows));
  }
  return export_document(rows, catalogue_, [&](const std::string& fingerprint) {
    const auto device = resolve(fingerprint);
    return device.ok() ? &(*device)->target() : nullptr;
  });
}

StatusOr<ImportReport> LocalEngine::import_json(std::string_view document) {
  KILN_ASSIGN_OR_RETURN(const auto rows, read_import(document, catalogue_));
  std::lock_guard lock(import_mutex_);
  return add_imported(rows, *store_);
}

std::vector<DeviceView> LocalEngine::devices() {
  std::vector<DeviceView> views;
  for (const auto& device : devices_) {
    DeviceView& view = views.emplace_back();
    view.name = device->name();
    view.fingerprint = device->fingerprint();
    view.target = device->target();
    view.can_compile = device->toolchain().ok();
    view.toolchain = device->toolchain().ok() ? *device->toolchain()
                                              : std::string(device->toolchain().status().message());
    view.peaks = device->peaks();
    view.unavailable = std::string(device->availability().message());
  }
  return views;
}

void LocalEngine::measure_peaks() {
  if (jobs_->active() > 0) return;  // they probe, and see what the device gives
  for (const auto& device : devices_)
    device->measure_peaks();
}

void LocalEngine::collect_in_background(const std::stop_token& stop) {
  std::unique_lock lock(collect_mutex_);
  while (collect_wanted_.wait(lock, stop, [&] { return collect_; }) && !stop.stop_requested()) {
    collect_ = false;
    lock.unlock();
    const auto report = store_->gc(options_.gc);
    if (!report.ok()) {
      spdlog::warn("nothing was collected: {}", report.status().ToString());
    } else if (report->artifacts_removed + report->measurements_removed > 0) {
      spdlog::info("collected {} artifacts of {} bytes and {} measurements",
                   report->artifacts_removed, report->bytes_removed, report->measurements_removed);
    }
    lock.lock();
  }
}

void LocalEngine::on_finished(const ServedDevice& device, const Problem& problem,
                              const Answer& answer) {
  if (answer != nullptr) {
    ++winners_changed_;
    // A better stand-in for others, perhaps: they look again.
    cache_.update_all([](Known& known) { known.transferred = {}; });
  }
  cache_.update(cache_key(device, problem), [&](Known& known) {
    if (answer != nullptr) known.tuned = answer;
    known.job_id = 0;
  });
  std::lock_guard lock(collect_mutex_);
  if (++finished_jobs_ < kJobsBetweenCollections) return;
  finished_jobs_ = 0;
  collect_ = true;
  collect_wanted_.notify_one();
}

}  // namespace kiln::engine
