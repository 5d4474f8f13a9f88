#include <fmt/format.h>

#include "client/tunectl/commands/commands.h"
#include "client/tunectl/output_file.h"
#include "client/tunectl/winner_filter.h"

namespace kiln::tunectl {
namespace {

struct Options {
  WinnerFilterOptions filter;
  std::string out;
};

Status export_winners(Session& session, const Options& options) {
  KILN_ASSIGN_OR_RETURN(const v1::WinnerFilter filter, winner_filter(session, options.filter));
  KILN_ASSIGN_OR_RETURN(std::string document, session.api().export_winners(filter));
  if (document.empty() || document.back() != '\n') document += '\n';
  if (options.out.empty()) {
    session.out().write(document);
    return absl::OkStatus();
  }
  KILN_RETURN_IF_ERROR(write_file(options.out, document));
  session.note(fmt::format("written to {}", options.out));
  return absl::OkStatus();
}

}  // namespace

Action declare_export(OptionSet& set) {
  auto options = std::make_shared<Options>();
  declare_winner_filter(set, options->filter);
  set.text("--out FILE", options->out, "Write to this file instead of the output");
  return [options](Session& session) { return export_winners(session, *options); };
}

}  // namespace kiln::tunectl
