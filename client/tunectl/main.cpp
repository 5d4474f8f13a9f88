#include <cstdio>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "client/tunectl/app.h"
#include "client/tunectl/connection.h"
#include "client/tunectl/signals.h"

int main(int argc, char** argv) {
  using namespace kiln::tunectl;
  std::stop_source stop;
  const SignalWatch signals(stop);
  Terminal out(stdout);
  Terminal err(stderr);
  Environment environment{out, err, stop, connect_by_options, absl::Now};
  return run(std::vector<std::string>(argv + 1, argv + argc), environment);
}
