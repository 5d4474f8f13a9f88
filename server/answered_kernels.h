// Answers to GetKernel by the bytes of their requests, as long as nothing changes in the engine:
// what a daemon under load does most is to say the same again.
//
// An answer is kept as the bytes of its fields, and given to gRPC as fields that the message does
// not know: on the wire that is the same, and neither copies nor serialises what is inside (10 us a
// call, a sixth of an empty call).
//
// Thread-safe. Bounded: when full it starts afresh, since everything in it can be looked up again.

#pragma once

#include <google/protobuf/unknown_field_set.h>

#include <cstdint>
#include <memory>
#include <shared_mutex>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "kiln/v1/kiln.pb.h"

namespace kiln::server {

class AnsweredKernels {
 public:
  explicit AnsweredKernels(size_t max_bytes = size_t(64) << 20) : max_bytes_(max_bytes) {}

  // Makes `response`, which must be empty, the answer that was put for this request in this
  // generation of the engine (Engine::generation; 0: none). False when there is none.
  bool find(const std::string& request, uint64_t generation, v1::GetKernelResponse& response) const;

  // `generation` is the engine's from before the answer was made.
  void put(const std::string& request, uint64_t generation, const v1::GetKernelResponse& answer);

 private:
  const size_t max_bytes_;
  mutable std::shared_mutex mutex_;  // guards what follows
  absl::flat_hash_map<std::string, std::shared_ptr<const google::protobuf::UnknownFieldSet>>
      answers_;
  uint64_t generation_ = 0;  // of every answer
  size_t bytes_ = 0;
};

}  // namespace kiln::server
