#include "client/tunectl/diagnosis.h"

#include "client/tunectl/failure.h"

namespace kiln::tunectl {
namespace {

using Line = v1::DiagnoseResponse::Line;

Line line(std::string subject, bool ok, std::string found, std::string remedy) {
  Line line;
  line.set_subject(std::move(subject));
  line.set_ok(ok);
  line.set_found(std::move(found));
  line.set_remedy(std::move(remedy));
  return line;
}

Line fault(std::string subject, const Status& status) {
  return line(std::move(subject), false, std::string(status.message()), remedy(status));
}

void append_findings(Session& session, std::vector<Line>& lines) {
  const auto response = session.api().diagnose();
  if (!response.ok()) {
    lines.push_back(fault("service", response.status()));
    return;
  }
  lines.insert(lines.end(), response->lines().begin(), response->lines().end());
}

}  // namespace

std::vector<Line> diagnose(Session& session) {
  std::vector<Line> lines;
  if (session.options().embedded) {
    if (const Status opened = session.api().connect(); !opened.ok()) {
      lines.push_back(fault("embedded service", opened));
    } else {
      append_findings(session, lines);
    }
    return lines;
  }
  const Status connected = session.api().connect();
  if (connected.ok()) {
    lines.push_back(line("daemon", true, "answers", ""));
    append_findings(session, lines);
    return lines;
  }
  const bool absent = exit_code(connected) == ExitCode::kNoDaemon;
  lines.push_back(line("daemon", absent, std::string(connected.message()), remedy(connected)));
  GlobalOptions embedded = session.options();
  embedded.embedded = true;
  Session local(session.environment(), embedded);
  for (Line& finding : diagnose(local))
    lines.push_back(std::move(finding));
  return lines;
}

}  // namespace kiln::tunectl
