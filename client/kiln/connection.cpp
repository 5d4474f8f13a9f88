#include "client/kiln/connection.h"

#include <fcntl.h>
#include <grpcpp/create_channel_posix.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace kiln {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFirstPause{20};
constexpr milliseconds kLongestPause{5000};
constexpr int kMaxResponseBytes = 64 << 20;

bool is_trusted(uid_t user) {
  return user == geteuid() || user == 0;
}

Status distrust(const std::string& socket, std::string_view what, uid_t user) {
  return absl::PermissionDeniedError(absl::StrCat(socket, std::string(what), user,
                                                  ", which is neither this user (", geteuid(),
                                                  ") nor root: code from there is not accepted"));
}

Status not_listening(const std::string& socket, int error) {
  return absl::UnavailableError(absl::StrCat("no daemon answers on ", socket, " (",
                                             std::strerror(error),
                                             "); start one with `kilnd --socket ", socket, "`"));
}

// Closes on the way out unless released.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

}  // namespace

StatusOr<int> connect_trusted(const std::string& socket) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket.empty() || socket.size() >= sizeof(address.sun_path)) {
    return invalid_field(
        "socket", socket,
        absl::StrCat("a path of at most ", sizeof(address.sun_path) - 1, " bytes"));
  }
  std::memcpy(address.sun_path, socket.data(), socket.size());

  struct stat info;
  if (lstat(socket.c_str(), &info) != 0) return not_listening(socket, errno);
  if (!S_ISSOCK(info.st_mode)) {
    return absl::PermissionDeniedError(
        absl::StrCat(socket, S_ISLNK(info.st_mode) ? " is a symbolic link" : " is not a socket"));
  }
  if (!is_trusted(info.st_uid)) return distrust(socket, " belongs to user ", info.st_uid);

  Descriptor fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd.get() < 0) return absl::ErrnoToStatus(errno, "cannot make a socket");
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return not_listening(socket, errno);
  }
  // The file's owner could have changed between the look and the connection; the peer cannot.
  ucred peer{};
  socklen_t size = sizeof(peer);
  if (getsockopt(fd.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
    return absl::ErrnoToStatus(errno, "cannot ask who answers");
  }
  if (!is_trusted(peer.uid)) return distrust(socket, " is served by user ", peer.uid);
  return fd.release();
}

Connection::Connection(std::string socket)
    : socket_(std::move(socket)), random_(std::random_device()()) {}

Status Connection::connect() {
  return link().status();
}

StatusOr<std::shared_ptr<Connection::Link>> Connection::link() {
  std::lock_guard lock(mutex_);
  if (link_) return link_;
  const auto now = std::chrono::steady_clock::now();
  if (now < next_attempt_) {
    return absl::UnavailableError(
        absl::StrCat("no daemon answered on ", socket_, " a moment ago; it is tried again soon"));
  }
  StatusOr<int> fd = connect_trusted(socket_);
  if (!fd.ok()) {
    pause_ = std::clamp(2 * pause_, kFirstPause, kLongestPause);
    // Between half and all of the pause.
    std::uniform_int_distribution<int64_t> jitter(pause_.count() / 2, pause_.count());
    next_attempt_ = now + milliseconds(jitter(random_));
    return fd.status();
  }
  pause_ = milliseconds(0);
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxResponseBytes);
  link_ = std::make_shared<Link>(
      Link{v1::Kiln::NewStub(grpc::CreateCustomInsecureChannelFromFd("kilnd", *fd, arguments))});
  return link_;
}

void Connection::drop(const std::shared_ptr<Link>& link) {
  std::lock_guard lock(mutex_);
  if (link_ == link) link_.reset();
}

}  // namespace kiln
