#include "tests/tunectl/command_line.h"

#include <iomanip>
#include <sstream>
#include <vector>

#include "absl/time/clock.h"

namespace kiln::tunectl {

int CommandLine::run(const std::string& words) {
  std::istringstream stream(words);
  std::vector<std::string> arguments;
  for (std::string word; stream >> std::quoted(word, '\'');)
    arguments.push_back(word);
  out_ = std::make_unique<Capture>();
  err_ = std::make_unique<Capture>();
  Environment environment{out_->terminal(), err_->terminal(), stop_, connect_, absl::Now};
  return tunectl::run(arguments, environment);
}

}  // namespace kiln::tunectl
