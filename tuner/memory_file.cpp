#include "tuner/memory_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace kiln::tuner {

namespace {

Status refused(const char* what, int64_t bytes) {
  return absl::ResourceExhaustedError(
      absl::StrCat("cannot ", what, " ", bytes, " bytes of shared memory: ", strerror(errno)));
}

}  // namespace

void FileDescriptor::reset() {
  if (fd_ >= 0) close(std::exchange(fd_, -1));
}

StatusOr<Mapping> Mapping::map(int fd, int64_t offset, int64_t bytes, int protection, int flags) {
  if (fd < 0) flags |= MAP_ANONYMOUS;
  void* data = mmap(nullptr, size_t(bytes), protection, flags, fd, offset);
  if (data == MAP_FAILED) return refused("map", bytes);
  return Mapping(static_cast<char*>(data), bytes);
}

void Mapping::reset() {
  if (data_ != nullptr) munmap(std::exchange(data_, nullptr), size_t(std::exchange(bytes_, 0)));
}

StatusOr<MemoryFile> MemoryFile::create(const char* name, int64_t bytes) {
  MemoryFile file;
  file.fd_ = FileDescriptor(memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file.fd_ || ftruncate(file.fd_.get(), bytes) != 0) return refused("create", bytes);
  // A child that truncated the file would make its other users fault.
  if (fcntl(file.fd_.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) != 0) {
    return refused("seal", bytes);
  }
  file.bytes_ = bytes;
  return file;
}

StatusOr<MemoryFile> MemoryFile::create_growing(const char* name) {
  MemoryFile file;
  file.fd_ = FileDescriptor(memfd_create(name, MFD_CLOEXEC));
  if (!file.fd_) return refused("create", 0);
  return file;
}

StatusOr<Mapping> MemoryFile::map(int protection) const {
  return Mapping::map(fd_.get(), 0, bytes_, protection, MAP_SHARED);
}

void MemoryFile::release_pages() const {
  fallocate(fd_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, bytes_);
}

Status MemoryFile::seal_contents() const {
  if (fcntl(fd_.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SEAL) != 0)
    return refused("seal", bytes_);
  return absl::OkStatus();
}

}  // namespace kiln::tuner
