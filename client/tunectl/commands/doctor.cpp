#include <fmt/format.h>

#include "client/tunectl/commands/commands.h"
#include "client/tunectl/diagnosis.h"
#include "client/tunectl/failure.h"
#include "client/tunectl/table.h"

namespace kiln::tunectl {
namespace {

Status doctor(Session& session) {
  const std::vector<v1::DiagnoseResponse::Line> lines = diagnose(session);
  int missing = 0;
  Json document = {{"lines", Json::array()}};
  Table table({{""},
               {"subject"},
               {"found", Align::kLeft, Fit::kWrap},
               {"what to do", Align::kLeft, Fit::kWrap}});
  for (const auto& line : lines) {
    missing += !line.ok();
    document["lines"].push_back(to_json(line));
    table.add({{line.ok() ? "ok" : "missing", line.ok() ? Style::kGood : Style::kBad},
               {line.subject(), Style::kBold},
               {line.found()},
               {line.remedy()}});
  }
  document["ok"] = missing == 0;
  if (session.json()) {
    session.print(document);
  } else {
    session.out().write(table.render(session.out()));
  }
  if (missing == 0) return absl::OkStatus();
  return failure(ExitCode::kFailed,
                 fmt::format("{}{} missing", missing, missing == 1 ? " thing is" : " things are"));
}

}  // namespace

Action declare_doctor(OptionSet&) {
  return doctor;
}

}  // namespace kiln::tunectl
