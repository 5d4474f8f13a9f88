
#include "client/tunectl/commands/commands.h"
#include "client/tunectl/table.h"

namespace kiln::tunectl {
namespace {

Status families(Session& session) {
  KILN_ASSIGN_OR_RETURN(const auto response, session.api().list_families());
  if (session.json()) {
    session.print(to_json(response));
    return absl::OkStatus();
  }
  Table table(
      {{"family"}, {"version", Align::kRight}, {"what it computes", Align::kLeft, Fit::kWrap}});
  for (const auto& family : response.families()) {
    table.add({{family.name(), Style::kBold},
               {std::to_string(family.version())},
               {family.documentation()}});
  }
  session.out().write(table.render(session.out()));
  return absl::OkStatus();
}

}  // namespace

Action declare_families(OptionSet&) {
  return families;
}

}  // namespace kiln::tunectl
