#include "client/tunectl/session.h"

#include <fmt/format.h>

#include "client/tunectl/connection.h"
#include "client/tunectl/text.h"

namespace kiln::tunectl {

Session::Session(Environment& environment, const GlobalOptions& options)
    : environment_(environment),
      options_(options),
      api_([this] { return environment_.connect(options_); }, environment.stop.get_token(),
           options.embedded),
      schemas_(api_),
      labels_(api_, schemas_) {}

void Session::note(std::string_view text) {
  if (options_.quiet) return;
  err().write(fmt::format("{}\n", safe_text(text, /*keep_lines=*/true)));
  err().flush();
}

}  // namespace kiln::tunectl
