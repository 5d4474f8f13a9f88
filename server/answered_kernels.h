// Answers to GetKernel by the bytes of their requests, as long as nothing changes in the engine:
// what a daemon under load does most is to say the same again. Both are kept as they are on the
// wire, so that saying it again neither reads nor writes a message.
//
// Thread-safe. Bounded: when full it starts afresh, since everything in it can be looked up again.

#pragma once

#include <grpcpp/support/byte_buffer.h>

#include <cstdint>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"

namespace kiln::server {

class AnsweredKernels {
 public:
  explicit AnsweredKernels(size_t max_bytes = size_t(64) << 20) : max_bytes_(max_bytes) {}

  // The answer that was put for this request in this generation of the engine (Engine::generation;
  // 0: none). Shares its bytes.
  std::optional<grpc::ByteBuffer> find(std::string_view request, uint64_t generation) const;

  // `generation` is the engine's from before the answer was made.
  void put(std::string_view request, uint64_t generation, const grpc::ByteBuffer& answer);

 private:
  const size_t max_bytes_;
  mutable std::shared_mutex mutex_;  // guards what follows
  absl::flat_hash_map<std::string, grpc::ByteBuffer> answers_;
  uint64_t generation_ = 0;  // of every answer
  size_t bytes_ = 0;
};

}  // namespace kiln::server
