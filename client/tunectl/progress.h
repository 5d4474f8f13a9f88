// Shows how tuning goes on: one line that is redrawn on a terminal, a line every few seconds where
// nothing can be redrawn.
//
//     ProgressPrinter progress(terminal, absl::Now);
//     progress.update(job);   // at every change
//     progress.finish();
//
// Not thread-safe.

#pragma once

#include <functional>
#include <string>

#include "absl/time/time.h"
#include "client/tunectl/terminal.h"
#include "kiln/v1/kiln.pb.h"

namespace kiln::tunectl {

class ProgressPrinter {
 public:
  using Clock = std::function<absl::Time()>;

  ProgressPrinter(Terminal& terminal, Clock clock)
      : terminal_(terminal), clock_(std::move(clock)) {}

  void update(const v1::Job& job);
  // Removes the redrawn line, so that the result can be written.
  void finish();

 private:
  Terminal& terminal_;
  Clock clock_;
  absl::Time last_line_ = absl::InfinitePast();
  std::string last_phase_;
};

// "searching  ▕█████···▏ 45 %  12 s left  best 1.23 ms (1.84× the default)  37 measured", with the
// later parts left out that do not fit `columns` (0: no bar, everything).
std::string progress_line(const v1::Job& job, int columns);

}  // namespace kiln::tunectl
