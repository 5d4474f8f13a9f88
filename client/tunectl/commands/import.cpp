#include "engine/import.h"

#include <fmt/format.h>

#include <algorithm>

#include "client/tunectl/commands/commands.h"
#include "client/tunectl/failure.h"
#include "client/tunectl/input_file.h"
#include "client/tunectl/text.h"
#include "client/tunectl/units.h"

namespace kiln::tunectl {
namespace {

struct Options {
  std::string file;
};

// Which of the devices measured are not served here.
StatusOr<std::vector<std::string>> absent(Session& session,
                                          const v1::ImportMeasurementsResponse& response) {
  KILN_ASSIGN_OR_RETURN(const auto here, session.api().list_devices());
  std::vector<std::string> absent;
  for (const std::string& fingerprint : response.fingerprints()) {
    const bool served =
        std::any_of(here.devices().begin(), here.devices().end(),
                    [&](const v1::Device& device) { return device.fingerprint() == fingerprint; });
    if (!served) absent.push_back(fingerprint);
  }
  return absent;
}

Status import_measurements(Session& session, const Options& options) {
  const StatusOr<std::string> document = read_file(options.file, engine::kMaxImportBytes);
  if (!document.ok()) return usage_error(std::string(document.status().message()));
  const auto response = session.api().import_measurements(*document);
  if (!response.ok()) {
    // A document at fault is named; what else went wrong speaks for itself.
    return absl::IsInvalidArgument(response.status())
               ? annotate(response.status(), safe_text(options.file))
               : response.status();
  }
  if (session.json()) {
    session.print(to_json(*response));
    return absl::OkStatus();
  }
  session.out().write(fmt::format(
      "{} added, {} known already, of {}\n", counted_text(response->added(), "measurement"),
      count_text(response->known()), counted_text(response->fingerprints_size(), "device")));
  if (response->added() > 0) {
    session.note("candidates: the next `tunectl tune` of these problems tries them first");
  }
  if (response->fingerprints().empty()) return absl::OkStatus();
  KILN_ASSIGN_OR_RETURN(const auto elsewhere, absent(session, *response));
  for (const std::string& fingerprint : elsewhere)
    session.note(fmt::format("not served here: {}", safe_text(fingerprint)));
  return absl::OkStatus();
}

}  // namespace

Action declare_import(OptionSet& set) {
  auto options = std::make_shared<Options>();
  set.word("file", options->file, "What `tunectl export` wrote, or a report of the self-test");
  return [options](Session& session) { return import_measurements(session, *options); };
}

}  // namespace kiln::tunectl
