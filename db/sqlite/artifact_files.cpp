#include "db/sqlite/artifact_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "absl/cleanup/cleanup.h"
#include "core/key.h"

namespace kiln::db {
namespace {

constexpr std::string_view kTemporarySuffix = ".partial";
constexpr size_t kHashDigits = 32;

Status failure(std::string_view what, const std::string& path) {
  return absl::ErrnoToStatus(errno, fmt::format("{} {}", what, path));
}

Status write_all(int descriptor, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      // A file size limit leaves no room just as a full disk does.
      if (errno == EFBIG) return absl::ResourceExhaustedError(fmt::format("cannot grow {}", path));
      return failure("cannot write", path);
    }
    bytes.remove_prefix(size_t(written));
  }
  return absl::OkStatus();
}

Status sync_directory(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return failure("cannot open", path);
  const absl::Cleanup close = [&] { ::close(descriptor); };
  return ::fsync(descriptor) == 0 ? absl::OkStatus() : failure("cannot sync", path);
}

}  // namespace

bool ArtifactFiles::is_hash(std::string_view hash) {
  return hash.size() == kHashDigits && std::all_of(hash.begin(), hash.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

std::string ArtifactFiles::path_of(std::string_view hash) const {
  return fmt::format("{}/{}", directory_, hash);
}

Status ArtifactFiles::prepare() {
  if (::mkdir(directory_.c_str(), S_IRWXU) == 0 || errno == EEXIST) return absl::OkStatus();
  return failure("cannot make", directory_);
}

Status ArtifactFiles::put(const std::string& hash, std::string_view bytes) {
  const std::string temporary = fmt::format("{}{}", path_of(hash), kTemporarySuffix);
  const int descriptor =
      ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (descriptor < 0) return failure("cannot make", temporary);
  absl::Cleanup close = [&] { ::close(descriptor); };
  absl::Cleanup discard = [&] { ::unlink(temporary.c_str()); };
  KILN_RETURN_IF_ERROR(write_all(descriptor, bytes, temporary));
  if (::fsync(descriptor) != 0) return failure("cannot sync", temporary);
  std::move(close).Invoke();
  if (::rename(temporary.c_str(), path_of(hash).c_str()) != 0) {
    return failure("cannot rename", temporary);
  }
  std::move(discard).Cancel();
  return sync_directory(directory_);
}

StatusOr<std::optional<std::string>> ArtifactFiles::read(const std::string& hash) const {
  const std::string path = path_of(hash);
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (descriptor < 0) {
    if (errno == ENOENT) return std::nullopt;
    if (errno == ELOOP) return absl::DataLossError(fmt::format("{} is a symbolic link", path));
    return failure("cannot read", path);
  }
  const absl::Cleanup close = [&] { ::close(descriptor); };
  struct stat status{};
  if (::fstat(descriptor, &status) != 0) return failure("cannot read", path);
  std::string bytes(size_t(std::max<off_t>(status.st_size, 0)), '\0');
  size_t have = 0;
  while (have < bytes.size()) {
    const ssize_t got = ::read(descriptor, bytes.data() + have, bytes.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failure("cannot read", path);
    if (got == 0) break;
    have += size_t(got);
  }
  bytes.resize(have);
  if (digest(bytes) != hash) return absl::DataLossError(fmt::format("{} is damaged", path));
  return bytes;
}

Status ArtifactFiles::remove(const std::string& hash) {
  if (::unlink(path_of(hash).c_str()) == 0 || errno == ENOENT) return absl::OkStatus();
  return failure("cannot remove", path_of(hash));
}

StatusOr<std::vector<std::string>> ArtifactFiles::list() const {
  std::vector<std::string> names;
  std::error_code error;
  for (auto entry = std::filesystem::directory_iterator(directory_, error);
       !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (is_hash(name)) names.push_back(name);
  }
  if (error) return absl::ErrnoToStatus(error.value(), fmt::format("cannot list {}", directory_));
  return names;
}

StatusOr<int64_t> ArtifactFiles::remove_temporaries() {
  int64_t removed = 0;
  std::error_code error;
  for (auto entry = std::filesystem::directory_iterator(directory_, error);
       !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.ends_with(kTemporarySuffix) && ::unlink(entry->path().c_str()) == 0) ++removed;
  }
  if (error) return absl::ErrnoToStatus(error.value(), fmt::format("cannot list {}", directory_));
  return removed;
}

}  // namespace kiln::db
