#include "devices/gpu/gpu_survey.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "devices/compile/program.h"

namespace kiln::devices {
namespace {

using Json = nlohmann::json;

}  // namespace

std::string to_json(const GpuSurvey& survey) {
  Json devices = Json::array();
  for (const runtime::GpuProperties& device : survey.devices) {
    devices.push_back({{"model", device.model},
                       {"architecture", device.architecture},
                       {"multiprocessors", device.multiprocessors},
                       {"memory_bytes", device.memory_bytes},
                       {"scratchpad_bytes", device.scratchpad_bytes},
                       {"l2_bytes", device.l2_bytes}});
  }
  return Json{{"driver", survey.driver}, {"devices", std::move(devices)}}.dump(
      -1, ' ', false, Json::error_handler_t::replace);
}

StatusOr<GpuSurvey> survey_from_json(std::string_view text) {
  const Json document = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  GpuSurvey survey;
  try {
    survey.driver = document.at("driver").get<std::string>();
    for (const Json& device : document.at("devices")) {
      survey.devices.push_back({.model = device.at("model").get<std::string>(),
                                .architecture = device.at("architecture").get<std::string>(),
                                .multiprocessors = device.at("multiprocessors").get<int>(),
                                .memory_bytes = device.at("memory_bytes").get<int64_t>(),
                                .scratchpad_bytes = device.at("scratchpad_bytes").get<int64_t>(),
                                .l2_bytes = device.at("l2_bytes").get<int64_t>()});
    }
  } catch (const Json::exception&) {
    return absl::InternalError("a survey of GPUs that is none: " + printable(text, 80));
  }
  return survey;
}

StatusOr<GpuSurvey> survey_gpus(std::string_view kind, std::chrono::milliseconds patience) {
  CompileOptions limits;
  limits.cpu_limit = patience / kWallPerCpuTime;
  // Drivers reserve address space for all of a device's memory.
  limits.memory_limit = 0;
  const ProgramRun run{.title = fmt::format("{} driver", kind),
                       .arguments = {find_helper("kiln-gpu"), "list", std::string(kind)},
                       .sources = "",
                       .work = "/"};
  const StatusOr<std::string> answer = run_program(run, limits);
  if (answer.ok()) return survey_from_json(*answer);
  // What the program itself says is the reason; its death speaks for the driver.
  if (absl::IsFailedPrecondition(answer.status())) {
    return absl::UnavailableError(answer.status().message());
  }
  return answer.status();
}

}  // namespace kiln::devices
