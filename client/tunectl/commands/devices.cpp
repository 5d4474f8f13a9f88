#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>

#include "client/tunectl/commands/commands.h"
#include "client/tunectl/failure.h"
#include "client/tunectl/table.h"
#include "client/tunectl/units.h"
#include "devices/gpu/gpu_findings.h"

namespace kiln::tunectl {
namespace {

// GPUs of this machine, whether they are served or not, and what compiles for them.
std::string gpu_table(const Terminal& out) {
  Table table({{"GPUs and compilers"},
               {"found", Align::kLeft, Fit::kWrap},
               {"how to get it", Align::kLeft, Fit::kWrap}});
  for (const devices::GpuFinding& finding : devices::find_gpu_support()) {
    table.add({{finding.subject, finding.ok ? Style::kBold : Style::kBad},
               {finding.found},
               {finding.remedy}});
  }
  return table.render(out);
}

Status list_devices(Session& session, const std::string& only) {
  KILN_ASSIGN_OR_RETURN(auto response, session.api().list_devices(/*measure_peaks=*/true));
  if (!only.empty()) {
    auto* devices = response.mutable_devices();
    devices->erase(std::remove_if(devices->begin(), devices->end(),
                                  [&](const v1::Device& d) {
                                    return d.name() != only && d.fingerprint() != only;
                                  }),
                   devices->end());
    if (devices->empty()) {
      return failure(ExitCode::kNotFound, fmt::format("no device {} is served here", only),
                     "`tunectl devices` lists those that are");
    }
  }
  if (session.json()) {
    session.print(to_json(response));
    return absl::OkStatus();
  }
  Terminal& out = session.out();
  bool first = true;
  for (const auto& device : response.devices()) {
    if (!first) out.write("\n");
    first = false;
    out.write(render_details(
        out,
        {{"device",
          {device.unavailable().empty() ? device.name()
                                        : device.name() + ": unavailable: " + device.unavailable(),
           device.unavailable().empty() ? Style::kBold : Style::kBad}},
         {"model", {device.model()}},
         {"instructions", {device.architecture() + " " + device.instruction_set()}},
         {"units", {std::to_string(device.units())}},
         {"memory",
          {bytes_text(static_cast<double>(device.memory_bytes())) + ", last-level cache " +
           bytes_text(static_cast<double>(device.llc_bytes()))}},
         {"peak f32", {rate_text(device.peak_f32_flops(), 'f')}},
         {"peak bf16", {rate_text(device.peak_bf16_flops(), 'f')}},
         {"peak read", {rate_text(device.peak_read_bytes(), 'b')}},
         {"peak copy", {rate_text(device.peak_copy_bytes(), 'b')}},
         {"compiler", {device.toolchain(), device.can_compile() ? Style::kPlain : Style::kBad}},
         {"fingerprint", {device.fingerprint()}}}));
  }
  if (only.empty()) out.write("\n" + gpu_table(out));
  return absl::OkStatus();
}

}  // namespace

Action declare_devices(OptionSet& set) {
  auto only = std::make_shared<std::string>();
  set.text("--device", *only, "Only this one, by name or fingerprint; --embedded serves it");
  return [only](Session& session) { return list_devices(session, *only); };
}

}  // namespace kiln::tunectl
