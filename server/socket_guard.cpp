#include "server/socket_guard.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>

#include "absl/strings/str_cat.h"

namespace kiln::server {
namespace {

constexpr mode_t kPrivateDirectory = 0700;
constexpr mode_t kWritableByOthers = 0022;

Status check_directory(const std::string& directory) {
  if (mkdir(directory.c_str(), kPrivateDirectory) != 0 && errno != EEXIST) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot make ", directory));
  }
  struct stat info;
  if (lstat(directory.c_str(), &info) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot look at ", directory));
  }
  if (!S_ISDIR(info.st_mode)) {
    return absl::PermissionDeniedError(
        absl::StrCat(directory, S_ISLNK(info.st_mode) ? " is a symbolic link" : " is a file",
                     ": the socket needs a real directory that only its user can write to"));
  }
  if (info.st_uid != geteuid()) {
    return absl::PermissionDeniedError(absl::StrCat(
        directory, " belongs to user ", info.st_uid, ", not to user ", geteuid(),
        ": whoever owns it could answer in this daemon's place; choose another --socket"));
  }
  if (info.st_mode & kWritableByOthers) {
    return absl::PermissionDeniedError(absl::StrCat(
        directory, " is writable by others: choose a --socket in a directory of its own"));
  }
  return absl::OkStatus();
}

// "process 4711 (kilnd)"
std::string describe_process(pid_t pid) {
  std::string name;
  std::getline(std::ifstream(absl::StrCat("/proc/", pid, "/comm")), name);
  return absl::StrCat("process ", pid,
                      name.empty() ? "" : absl::StrCat(" (", printable(name), ")"));
}

// Who listens at this address; nothing when nobody does.
std::optional<std::string> listener(const sockaddr_un& address) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return std::nullopt;
  std::optional<std::string> found;
  const int result = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  // EAGAIN: its queue of connections is full, so somebody owns it.
  if (result == 0 || errno == EAGAIN) {
    ucred peer{};
    socklen_t size = sizeof(peer);
    const bool known = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.pid > 0;
    found = known ? describe_process(peer.pid) : "another process";
  }
  close(fd);
  return found;
}

std::string holder(int lock) {
  char text[32] = {};
  const ssize_t size = pread(lock, text, sizeof(text) - 1, 0);
  const pid_t pid = size > 0 ? pid_t(std::strtol(text, nullptr, 10)) : 0;
  return pid > 0 ? describe_process(pid) : "another process";
}

Status in_use(const std::string& path, const std::string& who) {
  return absl::FailedPreconditionError(
      absl::StrCat(path, ": ", who, " listens here already; stop it or choose another --socket"));
}

Status remove_stale(const std::string& path, const sockaddr_un& address) {
  struct stat info;
  if (lstat(path.c_str(), &info) != 0) {
    return errno == ENOENT ? absl::OkStatus()
                           : absl::ErrnoToStatus(errno, absl::StrCat("cannot look at ", path));
  }
  if (!S_ISSOCK(info.st_mode)) {
    return absl::PermissionDeniedError(
        absl::StrCat(path, S_ISLNK(info.st_mode) ? " is a symbolic link" : " is not a socket",
                     ": it is left alone; remove it or choose another --socket"));
  }
  if (const std::optional<std::string> who = listener(address)) return in_use(path, *who);
  if (unlink(path.c_str()) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot remove the stale socket ", path));
  }
  return absl::OkStatus();
}

}  // namespace

StatusOr<std::unique_ptr<SocketGuard>> SocketGuard::claim(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path[0] != '/' || path.size() >= sizeof(address.sun_path)) {
    return invalid_field(
        "socket", path,
        absl::StrCat("an absolute path of at most ", sizeof(address.sun_path) - 1, " bytes"));
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  KILN_RETURN_IF_ERROR(check_directory(std::filesystem::path(path).parent_path()));

  const std::string lock_path = path + ".lock";
  const int lock = open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (lock < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot open ", lock_path));
  // From here on the guard closes the file.
  std::unique_ptr<SocketGuard> guard(new SocketGuard(path, lock));
  if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
    return in_use(path, holder(lock));
  }
  KILN_RETURN_IF_ERROR(remove_stale(path, address));
  const std::string pid = absl::StrCat(getpid(), "\n");
  if (ftruncate(lock, 0) != 0 || pwrite(lock, pid.data(), pid.size(), 0) != ssize_t(pid.size())) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", lock_path));
  }
  guard->taken_ = true;
  return guard;
}

SocketGuard::~SocketGuard() {
  // The lock file stays: removing it would let two daemons lock different files of one name.
  if (taken_) unlink(path_.c_str());
  close(lock_);
}

}  // namespace kiln::server
