// NVIDIA's compiler library and disassembler on this machine: in the loader's path, in a CUDA
// toolkit, or from the packages nvidia-cuda-nvrtc and nvidia-cuda-nvdisasm of Python's registry.
// Looked for at first use, and again as long as the library is missing. Thread-safe.

#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "core/status.h"

namespace kiln::devices {

class CudaTools {
 public:
  struct Nvrtc {
    std::string library;  // path, or a name that the loader finds
    int major = 0;
    int minor = 0;
    std::string text() const;  // "NVRTC 13.5"
  };

  // Shared by all users in this process.
  static CudaTools& instance();

  // UNAVAILABLE says what to install, or that what is there is too old.
  StatusOr<Nvrtc> nvrtc();
  // Empty: none here.
  std::string nvdisasm();

 private:
  std::mutex mutex_;
  std::optional<Nvrtc> nvrtc_;           // guarded by mutex_
  std::optional<std::string> nvdisasm_;  // guarded by mutex_
};

}  // namespace kiln::devices
