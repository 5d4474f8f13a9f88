// Memory that processes share: an anonymous file and its mappings. Both own what they name; neither
// is shared between threads without care.

#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <utility>

#include "core/status.h"

namespace kiln::tuner {

inline constexpr int64_t kPageBytes = 4096;  // of x86-64; regions of tensors are whole pages

constexpr int64_t round_to_pages(int64_t bytes) {
  return (bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
}

class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~FileDescriptor() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  void reset();

 private:
  int fd_ = -1;
};

class Mapping {
 public:
  Mapping() = default;
  Mapping(Mapping&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  Mapping& operator=(Mapping&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~Mapping() { reset(); }

  // `fd` < 0: anonymous memory. RESOURCE_EXHAUSTED when the system refuses.
  static StatusOr<Mapping> map(int fd, int64_t offset, int64_t bytes, int protection, int flags);

  char* data() const { return data_; }
  int64_t bytes() const { return bytes_; }
  void reset();

 private:
  Mapping(char* data, int64_t bytes) : data_(data), bytes_(bytes) {}
  char* data_ = nullptr;
  int64_t bytes_ = 0;
};

class MemoryFile {
 public:
  MemoryFile() = default;
  // A file of zeroes. RESOURCE_EXHAUSTED when the system refuses.
  static StatusOr<MemoryFile> create(const char* name, int64_t bytes);

  // An empty file that write() may extend.
  static StatusOr<MemoryFile> create_growing(const char* name);

  int fd() const { return fd_.get(); }
  int64_t bytes() const { return bytes_; }
  StatusOr<Mapping> map(int protection) const;
  // Gives the pages back; the content is zero again.
  void release_pages() const;
  // From now on nobody can map the file for writing. No writable mapping may exist.
  Status seal_contents() const;

 private:
  FileDescriptor fd_;
  int64_t bytes_ = 0;
};

}  // namespace kiln::tuner
