// AMD's run-time compiler library on this machine, and which architectures it knows. Looked for at
// first use. Thread-safe.

#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "core/status.h"

namespace kiln::devices {

class HipTools {
 public:
  struct Hiprtc {
    std::string library;
    std::string text;  // "hipRTC 5.2"
  };

  static HipTools& instance();

  // Nullopt: there is none.
  std::optional<Hiprtc> hiprtc();
  // hipRTC, if it compiles for this architecture: tried out in a process that may die of it.
  std::optional<Hiprtc> hiprtc_for(const std::string& architecture);
  // OK when this clang finds lld, with which it links for AMD's GPUs; else UNAVAILABLE with the
  // remedy.
  Status linker_of(const std::string& clang);
  // llvm-objdump; empty: none here.
  std::string disassembler();

 private:
  bool try_out(const Hiprtc& hiprtc, const std::string& architecture);

  std::mutex mutex_;
  bool looked_ = false;  // guarded by mutex_, as the rest
  std::optional<Hiprtc> hiprtc_;
  std::map<std::string, bool> knows_;
  std::set<std::string> links_;  // paths of clangs that find lld
};

}  // namespace kiln::devices
