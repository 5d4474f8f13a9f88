#include "tuner/worker/protocol.h"

#include <cstring>

namespace kiln::tuner::worker {

void append_string(std::string& job, std::string_view text) {
  const uint64_t size = text.size();
  job.append(reinterpret_cast<const char*>(&size), sizeof size);
  job.append(text);
}

StatusOr<std::string_view> take_string(std::string_view& job) {
  uint64_t size = 0;
  if (job.size() < sizeof size) return absl::InternalError("the job file ends early");
  memcpy(&size, job.data(), sizeof size);
  job.remove_prefix(sizeof size);
  if (job.size() < size) return absl::InternalError("the job file ends early");
  std::string_view text = job.substr(0, size);
  job.remove_prefix(size);
  return text;
}

}  // namespace kiln::tuner::worker
