#include "devices/compile/cache_directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <filesystem>

#include "core/key.h"

namespace kiln::devices {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kPrivate = 0700;
constexpr mode_t kWritableByOthers = 0022;
// Work folders of processes that were killed; no compilation takes nearly as long.
constexpr auto kLeftover = std::chrono::hours(1);

Status failure(int error, const std::string& what) {
  const bool full = error == ENOSPC || error == EDQUOT;
  return absl::ErrnoToStatus(
      error, full ? what + "; free space there or choose another cache directory" : what);
}

Status make_directory(const std::string& path) {
  if (mkdir(path.c_str(), kPrivate) == 0 || errno == EEXIST) return absl::OkStatus();
  return failure(errno, fmt::format("cannot make the directory {}", path));
}

Status make_directories(const std::string& path) {
  for (size_t slash = path.find('/', 1); slash != std::string::npos;
       slash = path.find('/', slash + 1)) {
    KILN_RETURN_IF_ERROR(make_directory(path.substr(0, slash)));
  }
  return make_directory(path);
}

Status check_private(const std::string& path) {
  struct stat info;
  if (lstat(path.c_str(), &info) != 0) return failure(errno, fmt::format("cannot read {}", path));
  if (!S_ISDIR(info.st_mode)) {
    return absl::FailedPreconditionError(
        fmt::format("the cache directory {} is no directory; choose another", path));
  }
  if (info.st_uid != geteuid()) {
    return absl::PermissionDeniedError(fmt::format(
        "the cache directory {} belongs to user {}; choose one of your own", path, info.st_uid));
  }
  if (info.st_mode & kWritableByOthers) {
    return absl::PermissionDeniedError(
        fmt::format("the cache directory {} is writable by others (mode {:04o}), who could run "
                    "code as you: chmod 700 it, or choose another",
                    path, info.st_mode & 07777));
  }
  return absl::OkStatus();
}

std::string unique_name() {
  static std::atomic<uint64_t> count{0};
  return fmt::format("{}-{}", getpid(), ++count);
}

std::string digest_of(const SourceTree& tree) {
  std::string text;
  for (const auto& [path, content] : tree) {
    text += fmt::format("{} {}\n{}", path, content.size(), content);
  }
  return digest(text);
}

Status write_tree(const std::string& root, const SourceTree& tree) {
  for (const auto& [path, content] : tree) {
    if (path.starts_with('/') || fmt::format("/{}/", path).find("/../") != std::string::npos) {
      return invalid_field("kernel source", path, "a path inside the tree");
    }
    const std::string file = fmt::format("{}/{}", root, path);
    KILN_RETURN_IF_ERROR(make_directories(file.substr(0, file.rfind('/'))));
    KILN_RETURN_IF_ERROR(write_file(file, content));
  }
  return absl::OkStatus();
}

bool holds_tree(const std::string& root, const SourceTree& tree) {
  for (const auto& [path, content] : tree) {
    StatusOr<std::string> stored = read_file(fmt::format("{}/{}", root, path));
    if (!stored.ok() || *stored != content) return false;
  }
  return true;
}

void remove_leftovers(const std::string& directory) {
  std::error_code ignored;
  const auto limit = fs::file_time_type::clock::now() - kLeftover;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, ignored)) {
    if (entry.last_write_time(ignored) < limit && !ignored) fs::remove_all(entry.path(), ignored);
  }
}

}  // namespace

WorkDirectory::~WorkDirectory() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

StatusOr<CacheDirectory> CacheDirectory::open(const std::string& path) {
  if (path.empty()) {
    return invalid_field("cache_directory", path, "a directory where kernels can be compiled");
  }
  std::error_code error;
  const std::string absolute = fs::absolute(path, error).lexically_normal().string();
  if (error) return failure(error.value(), fmt::format("cannot resolve {}", path));
  KILN_RETURN_IF_ERROR(make_directories(absolute));
  KILN_RETURN_IF_ERROR(check_private(absolute));
  for (const char* part : {"sources", "work"}) {
    const std::string inner = fmt::format("{}/{}", absolute, part);
    KILN_RETURN_IF_ERROR(make_directory(inner));
    KILN_RETURN_IF_ERROR(check_private(inner));
  }
  remove_leftovers(absolute + "/work");
  return CacheDirectory(absolute);
}

StatusOr<std::string> CacheDirectory::install(const SourceTree& tree) const {
  std::string root = fmt::format("{}/sources/{}", path_, digest_of(tree));
  if (holds_tree(root, tree)) return root;
  const WorkDirectory fresh(fmt::format("{}/sources/new-{}", path_, unique_name()));
  KILN_RETURN_IF_ERROR(make_directory(fresh.path()));
  KILN_RETURN_IF_ERROR(write_tree(fresh.path(), tree));
  // Another process may have been faster, or a damaged copy may lie there.
  std::error_code ignored;
  if (rename(fresh.path().c_str(), root.c_str()) == 0 || holds_tree(root, tree)) return root;
  fs::remove_all(root, ignored);
  if (rename(fresh.path().c_str(), root.c_str()) == 0 || holds_tree(root, tree)) return root;
  return failure(errno, fmt::format("cannot write kernel sources to {}", root));
}

StatusOr<WorkDirectory> CacheDirectory::make_work_directory() const {
  WorkDirectory work(fmt::format("{}/work/{}", path_, unique_name()));
  std::error_code ignored;
  fs::remove_all(work.path(), ignored);  // of an earlier process with this number
  KILN_RETURN_IF_ERROR(make_directory(work.path()));
  return work;
}

Status write_file(const std::string& path, std::string_view content) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return failure(errno, fmt::format("cannot write {}", path));
  int error = 0;
  while (!content.empty() && error == 0) {
    const ssize_t written = write(file, content.data(), content.size());
    if (written >= 0) content.remove_prefix(size_t(written));
    if (written < 0 && errno != EINTR) error = errno;
  }
  if (close(file) != 0 && error == 0) error = errno;
  if (error != 0) return failure(error, fmt::format("cannot write {}", path));
  return absl::OkStatus();
}

StatusOr<std::string> read_file(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return failure(errno, fmt::format("cannot read {}", path));
  std::string content;
  char buffer[1 << 16];
  ssize_t count;
  while ((count = read(file, buffer, sizeof buffer)) > 0 || (count < 0 && errno == EINTR)) {
    if (count > 0) content.append(buffer, size_t(count));
  }
  const int error = count < 0 ? errno : 0;
  close(file);
  if (error != 0) return failure(error, fmt::format("cannot read {}", path));
  return content;
}

}  // namespace kiln::devices
