#include "server/answered_kernels.h"

#include <mutex>

namespace kiln::server {
namespace {

// Longer requests are not worth keeping: no real problem has them.
constexpr size_t kMaxRequestBytes = 4096;

}  // namespace

std::optional<grpc::ByteBuffer> AnsweredKernels::find(std::string_view request,
                                                      uint64_t generation) const {
  std::shared_lock lock(mutex_);
  if (generation == 0 || generation != generation_) return std::nullopt;
  const auto found = answers_.find(absl::string_view(request.data(), request.size()));
  if (found == answers_.end()) return std::nullopt;
  return found->second;
}

void AnsweredKernels::put(std::string_view request, uint64_t generation,
                          const grpc::ByteBuffer& answer) {
  if (generation == 0 || request.size() > kMaxRequestBytes) return;
  const size_t bytes = request.size() + answer.Length();
  if (bytes > max_bytes_) return;
  std::unique_lock lock(mutex_);
  if (generation < generation_) return;
  if (generation > generation_ || bytes_ + bytes > max_bytes_) {
    answers_.clear();
    bytes_ = 0;
    generation_ = generation;
  }
  if (answers_.try_emplace(std::string(request), answer).second) bytes_ += bytes;
}

}  // namespace kiln::server
