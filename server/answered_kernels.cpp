#include "server/answered_kernels.h"

#include <mutex>

namespace kiln::server {
namespace {

// Longer requests are not worth keeping: no real problem has them.
constexpr size_t kMaxRequestBytes = 4096;

}  // namespace

bool AnsweredKernels::find(const std::string& request, uint64_t generation,
                           v1::GetKernelResponse& response) const {
  std::shared_ptr<const google::protobuf::UnknownFieldSet> answer;
  {
    std::shared_lock lock(mutex_);
    if (generation == 0 || generation != generation_) return false;
    const auto found = answers_.find(request);
    if (found == answers_.end()) return false;
    answer = found->second;
  }
  response.GetReflection()->MutableUnknownFields(&response)->MergeFrom(*answer);
  return true;
}

void AnsweredKernels::put(const std::string& request, uint64_t generation,
                          const v1::GetKernelResponse& answer) {
  if (generation == 0 || request.size() > kMaxRequestBytes) return;
  const std::string serialized = answer.SerializeAsString();
  const size_t bytes = request.size() + serialized.size();
  auto kept = std::make_shared<google::protobuf::UnknownFieldSet>();
  if (bytes > max_bytes_ || !kept->ParseFromString(serialized)) return;
  std::unique_lock lock(mutex_);
  if (generation < generation_) return;
  if (generation > generation_ || bytes_ + bytes > max_bytes_) {
    answers_.clear();
    bytes_ = 0;
    generation_ = generation;
  }
  if (answers_.try_emplace(request, std::move(kept)).second) bytes_ += bytes;
}

}  // namespace kiln::server
