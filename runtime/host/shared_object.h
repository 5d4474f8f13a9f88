// A host artifact's code in this process.
//
// load() checks the file (elf_image.h), maps it from memory without touching the file system, and
// checks what it says about itself. The code stays mapped as long as the SharedObject lives.

#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/status.h"
#include "runtime/host/abi.h"

namespace kiln::runtime {

class SharedObject {
 public:
  using Blocks = void (*)(KilnU32 entry, const KilnHostLaunch* launch, KilnI64 first, KilnI64 last,
                          void* scratch);

  // `instruction_set` is what the artifact is said to be compiled for. FAILED_PRECONDITION says
  // why the bytes are no kernel for this run time; RESOURCE_EXHAUSTED and UNAVAILABLE come from
  // the operating system.
  static StatusOr<std::unique_ptr<SharedObject>> load(std::string_view bytes,
                                                      std::string_view instruction_set);
  ~SharedObject();
  SharedObject(const SharedObject&) = delete;
  SharedObject& operator=(const SharedObject&) = delete;

  std::span<const KilnHostEntry> entries() const { return {info_->entry, info_->entries}; }
  Blocks blocks() const { return blocks_; }

 private:
  explicit SharedObject(void* handle) : handle_(handle) {}

  void* handle_;
  const KilnHostInfo* info_ = nullptr;
  Blocks blocks_ = nullptr;
};

}  // namespace kiln::runtime
