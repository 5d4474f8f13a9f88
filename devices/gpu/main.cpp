// kiln-gpu: asks a vendor's driver which GPUs there are, in a process that may die of it.
//
//     kiln-gpu list cuda|hip
//
// One JSON document on the standard output and exit code 0; or the reason, and 1.

#include <fmt/format.h>

#include <string_view>

#include "devices/gpu/gpu_survey.h"
#include "runtime/gpu/driver.h"

namespace kiln::devices {
namespace {

StatusOr<GpuSurvey> ask(std::string_view kind) {
  KILN_ASSIGN_OR_RETURN(const auto driver, runtime::open_gpu_driver(kind));
  KILN_ASSIGN_OR_RETURN(const int count, driver->devices());
  GpuSurvey survey{.driver = driver->version(), .devices = {}};
  for (int device = 0; device < count; ++device) {
    KILN_ASSIGN_OR_RETURN(runtime::GpuProperties properties, driver->properties(device));
    survey.devices.push_back(std::move(properties));
  }
  return survey;
}

}  // namespace
}  // namespace kiln::devices

int main(int count, char** values) {
  if (count != 3 || std::string_view(values[1]) != "list") {
    fmt::print("kiln-gpu is started by Kiln and does nothing by itself\n");
    return 2;
  }
  const auto survey = kiln::devices::ask(values[2]);
  if (!survey.ok()) {
    fmt::print("{}\n", std::string(survey.status().message()));
    return 1;
  }
  fmt::print("{}\n", kiln::devices::to_json(*survey));
  return 0;
}
