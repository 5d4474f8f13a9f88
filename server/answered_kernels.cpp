#include "server/answered_kernels.h"

#include <mutex>

namespace kiln::server {
namespace {

// Longer requests are not worth keeping: no real problem has them.
constexpr size_t kMaxRequestBytes = 4096;

}  // namespace

AnsweredKernels::Answer AnsweredKernels::find(const std::string& request,
                                              uint64_t generation) const {
  std::shared_lock lock(mutex_);
  if (generation == 0 || generation != generation_) return nullptr;
  const auto found = answers_.find(request);
  return found == answers_.end() ? nullptr : found->second;
}

void AnsweredKernels::put(const std::string& request, uint64_t generation,
                          const v1::GetKernelResponse& answer) {
  const size_t bytes = request.size() + answer.ByteSizeLong();
  if (generation == 0 || request.size() > kMaxRequestBytes || bytes > max_bytes_) return;
  auto kept = std::make_shared<const v1::GetKernelResponse>(answer);
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
