#include <fmt/format.h>

#include "client/tunectl/commands/commands.h"
#include "client/tunectl/diagnosis.h"
#include "client/tunectl/failure.h"
#include "client/tunectl/table.h"

namespace kiln::tunectl {
namespace {

Cell mark(const v1::DiagnoseResponse::Line& line) {
  if (!line.ok()) return {"check", Style::kBad};
  return line.remedy().empty() ? Cell{"ok", Style::kGood} : Cell{"note", Style::kWarning};
}

Status doctor(Session& session) {
  const std::vector<v1::DiagnoseResponse::Line> lines = diagnose(session);
  int faults = 0;
  Json document = {{"lines", Json::array()}};
  Table table({{""},
               {"subject"},
               {"found", Align::kLeft, Fit::kWrap},
               {"what to do", Align::kLeft, Fit::kWrap}});
  for (const auto& line : lines) {
    faults += !line.ok();
    document["lines"].push_back(to_json(line));
    table.add({mark(line), {line.subject(), Style::kBold}, {line.found()}, {line.remedy()}});
  }
  document["ok"] = faults == 0;
  if (session.json()) {
    session.print(document);
  } else {
    session.out().write(table.render(session.out()));
  }
  if (faults == 0) return absl::OkStatus();
  return failure(ExitCode::kFailed, faults == 1 ? "one thing wants attention"
                                                : fmt::format("{} things want attention", faults));
}

}  // namespace

Action declare_doctor(OptionSet&) {
  return doctor;
}

}  // namespace kiln::tunectl
