// The folder in which compilers keep kernel sources and work.
//
// It and everything in it belongs to this user alone (mode 0700): who can write sources can run
// code. Sources lie under sources/<digest>, written once and renamed into place whole; every
// compilation gets a folder of its own under work/. Several processes may share the folder.

#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "core/status.h"
#include "devices/compiler.h"

namespace kiln::devices {

// A folder that is removed, with its content, when this object goes.
class WorkDirectory {
 public:
  explicit WorkDirectory(std::string path) : path_(std::move(path)) {}
  WorkDirectory(WorkDirectory&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  WorkDirectory& operator=(WorkDirectory&&) = delete;
  ~WorkDirectory();
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class CacheDirectory {
 public:
  // Makes the folder where it is missing. PERMISSION_DENIED when others may write it or own it.
  static StatusOr<CacheDirectory> open(const std::string& path);

  const std::string& path() const { return path_; }

  // Where the files of `tree` lie; writes them unless they are there in full.
  StatusOr<std::string> install(const SourceTree& tree) const;
  StatusOr<WorkDirectory> make_work_directory() const;

 private:
  explicit CacheDirectory(std::string path) : path_(std::move(path)) {}

  std::string path_;
};

// Writes a new file. RESOURCE_EXHAUSTED on a full disk; every error names the file.
Status write_file(const std::string& path, std::string_view content);
StatusOr<std::string> read_file(const std::string& path);

}  // namespace kiln::devices
