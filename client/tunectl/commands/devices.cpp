
#include "client/tunectl/commands/commands.h"
#include "client/tunectl/table.h"
#include "client/tunectl/units.h"

namespace kiln::tunectl {
namespace {

Status devices(Session& session) {
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
        {{"device", {device.name(), Style::kBold}},
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
  return absl::OkStatus();
}

}  // namespace

Action declare_devices(OptionSet&) {
  return devices;
}

}  // namespace kiln::tunectl
