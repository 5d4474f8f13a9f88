#include "server/listener.h"

#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

namespace kiln::server {
namespace {

// A compilation takes about ten descriptors, a worker too.
constexpr int kReserved = 128;
constexpr int kRetryMs = 100;  // after accept() failed for want of something
constexpr std::chrono::minutes kBetweenWarnings{1};

int first_reserved() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return std::numeric_limits<int>::max();
  const auto most = int(std::min<rlim_t>(limit.rlim_cur, std::numeric_limits<int>::max()));
  return most - std::min(kReserved, most / 2);
}

// Counts what is refused and says so now and then: a flood must not fill the log.
class Refusals {
 public:
  void add() {
    ++count_;
    const auto now = std::chrono::steady_clock::now();
    if (told_ && now - *told_ < kBetweenWarnings) return;
    spdlog::warn(
        "no file descriptors are left for more connections: {} refused; raise the limit (ulimit "
        "-n, LimitNOFILE)",
        std::exchange(count_, 0));
    told_ = now;
  }

 private:
  int count_ = 0;
  std::optional<std::chrono::steady_clock::time_point> told_;
};

}  // namespace

StatusOr<std::unique_ptr<Listener>> Listener::start(const std::string& path,
                                                    std::function<void(int fd)> connected) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    return absl::UnavailableError(absl::StrCat("cannot listen on ", path, ": too long"));
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int stop_event = eventfd(0, EFD_CLOEXEC);
  if (socket < 0 || stop_event < 0 ||
      bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
      listen(socket, SOMAXCONN) != 0) {
    const int error = errno;
    if (socket >= 0) close(socket);
    if (stop_event >= 0) close(stop_event);
    return absl::UnavailableError(
        absl::StrCat("cannot listen on ", path, ": ", std::strerror(error)));
  }
  return std::unique_ptr<Listener>(new Listener(socket, stop_event, std::move(connected)));
}

Listener::Listener(int socket, int stop_event, std::function<void(int fd)> connected)
    : socket_(socket),
      stop_event_(stop_event),
      first_reserved_(first_reserved()),
      connected_(std::move(connected)),
      thread_([this] { accept_connections(); }) {}

Listener::~Listener() {
  eventfd_write(stop_event_, 1);
  thread_.join();
  close(socket_);
  close(stop_event_);
}

bool Listener::stopped_within(int milliseconds) const {
  pollfd stop = {stop_event_, POLLIN, 0};
  return poll(&stop, 1, milliseconds) > 0;
}

void Listener::accept_connections() {
  Refusals refusals;
  while (true) {
    pollfd events[] = {{socket_, POLLIN, 0}, {stop_event_, POLLIN, 0}};
    if (poll(events, std::size(events), -1) < 0) continue;
    if (events[1].revents != 0) return;
    const int fd = accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0 && fd < first_reserved_) {
      connected_(fd);
      continue;
    }
    // The system hands out the lowest number that is free, so this one tells how many are taken.
    if (fd >= 0) close(fd);
    const bool exhausted =
        fd >= 0 || errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS;
    if (!exhausted) continue;  // the client left, or somebody else was faster
    refusals.add();
    if (fd < 0 && stopped_within(kRetryMs)) return;
  }
}

}  // namespace kiln::server
