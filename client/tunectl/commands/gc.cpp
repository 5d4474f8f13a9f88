#include <fmt/format.h>

#include "client/tunectl/commands/commands.h"
#include "client/tunectl/units.h"

namespace kiln::tunectl {
namespace {

struct Options {
  uint64_t artifact_bytes = 0;
  int64_t measurements = 0;
};

Status collect_garbage(Session& session, const Options& options) {
  v1::CollectGarbageRequest request;
  request.set_artifact_bytes(static_cast<int64_t>(options.artifact_bytes));
  request.set_measurements(options.measurements);
  KILN_ASSIGN_OR_RETURN(const auto response, session.api().collect_garbage(request));
  if (session.json()) {
    session.print(to_json(response));
    return absl::OkStatus();
  }
  session.out().write(fmt::format("removed {} ({}), {}, {}\n",
                                  counted_text(response.artifacts_removed(), "artifact"),
                                  bytes_text(static_cast<double>(response.bytes_removed())),
                                  counted_text(response.measurements_removed(), "measurement"),
                                  counted_text(response.orphans_removed(), "orphaned file")));
  return absl::OkStatus();
}

}  // namespace

Action declare_gc(OptionSet& set) {
  auto options = std::make_shared<Options>();
  set.bytes("--artifact-bytes SIZE", options->artifact_bytes,
            "Bound on stored artifacts, for example 512MB (default: as configured)");
  set.positive("--measurements N", options->measurements,
               "Bound on stored measurements (default: as configured)");
  return [options](Session& session) { return collect_garbage(session, *options); };
}

}  // namespace kiln::tunectl
