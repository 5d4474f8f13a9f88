
#include "client/tunectl/commands/commands.h"
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

Status list_devices(Session& session) {
  KILN_ASSIGN_OR_RETURN(const auto response, session.api().list_devices());
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
  out.write("\n" + gpu_table(out));
  return absl::OkStatus();
}

}  // namespace

Action declare_devices(OptionSet&) {
  return list_devices;
}

}  // namespace kiln::tunectl
