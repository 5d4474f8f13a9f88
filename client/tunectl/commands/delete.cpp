#include <fmt/format.h>

#include "client/tunectl/commands/commands.h"
#include "client/tunectl/failure.h"

namespace kiln::tunectl {
namespace {

// Goes on behind an id that is not there; the first failure is the result.
Status delete_winners(Session& session, const std::vector<int64_t>& ids) {
  Status result;
  Json deleted = Json::array();
  for (const int64_t id : ids) {
    const Status status = session.api().delete_winner(id);
    if (status.ok()) {
      deleted.push_back(id);
      session.note(fmt::format("winner {} deleted", id));
    } else {
      if (exit_code(status) != ExitCode::kNotFound) return status;
      result.Update(status);
    }
  }
  if (session.json()) session.print({{"deleted", deleted}});
  return result;
}

}  // namespace

Action declare_delete(OptionSet& set) {
  auto ids = std::make_shared<std::vector<int64_t>>();
  set.ids(*ids, "Winners, as `tunectl list` lists them");
  return [ids](Session& session) { return delete_winners(session, *ids); };
}

}  // namespace kiln::tunectl
