// More connections than a daemon can carry.

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>

#include "tests/server/kilnd_client.h"

namespace kiln {
namespace {

using testing::attention;
using testing::KilndProcess;
using testing::stub_of;

// Connections that say nothing.
class Crowd {
 public:
  explicit Crowd(const std::string& socket) {
    address_.sun_family = AF_UNIX;
    std::memcpy(address_.sun_path, socket.c_str(), socket.size() + 1);
  }
  ~Crowd() { leave(); }
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

  // As many as `wanted`, or as this process may have.
  int come(int wanted) {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    constexpr int kOurs = 100;  // for what else this process has open
    wanted = int(std::min<rlim_t>(rlim_t(wanted), limit.rlim_cur - kOurs));
    while (int(sockets_.size()) < wanted) {
      const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
      REQUIRE(fd >= 0);
      sockets_.push_back(fd);
      REQUIRE(connect(fd, reinterpret_cast<const sockaddr*>(&address_), sizeof(address_)) == 0);
    }
    return wanted;
  }
  // Those whose other end was closed.
  int refused() const {
    int count = 0;
    for (const int fd : sockets_) {
      char byte;
      count += recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0;
    }
    return count;
  }
  void leave() {
    for (const int fd : sockets_)
      close(fd);
    sockets_.clear();
  }

 private:
  sockaddr_un address_{};
  std::vector<int> sockets_;
};

grpc::Status get_kernel(v1::Kiln::Stub& stub, int64_t head_dim) {
  v1::GetKernelRequest request;
  *request.mutable_problem() = attention(head_dim);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::minutes(1));
  v1::GetKernelResponse response;
  return stub.GetKernel(&context, request, &response);
}

template <class Condition>
bool eventually(Condition condition) {
  for (int i = 0; i < 3000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

}  // namespace

TEST_CASE("connections beyond the file descriptors are closed, the others served, and it passes") {
  KilndProcess kilnd({}, {.descriptors = 300});
  kilnd.start();
  const auto early = stub_of(kilnd);
  REQUIRE(get_kernel(*early, 16).ok());
  Crowd crowd(kilnd.socket());
  const int came = crowd.come(600);
  CHECK(eventually([&] { return crowd.refused() >= came - 300; }));
  CHECK(crowd.refused() < came);
  CHECK(get_kernel(*early, 16).ok());
  // What it works with is left to it: this one is compiled and run.
  CHECK(get_kernel(*early, 24).ok());
  CHECK(get_kernel(*stub_of(kilnd), 16).error_code() == grpc::StatusCode::UNAVAILABLE);
  CHECK_THAT(kilnd.log(), Catch::Contains("no file descriptors are left"));
  crowd.leave();
  CHECK(eventually([&] { return get_kernel(*stub_of(kilnd), 16).ok(); }));
  CHECK(kilnd.end(SIGTERM) == 0);
}

TEST_CASE("10,000 silent connections keep nobody from being served") {
  KilndProcess kilnd;
  kilnd.start();
  const auto early = stub_of(kilnd);
  REQUIRE(get_kernel(*early, 16).ok());
  Crowd crowd(kilnd.socket());
  crowd.come(10'000);
  CHECK(get_kernel(*early, 16).ok());
  CHECK(get_kernel(*early, 24).ok());
  crowd.leave();
  CHECK(eventually([&] { return get_kernel(*stub_of(kilnd), 16).ok(); }));
  CHECK(kilnd.end(SIGTERM) == 0);
}

}  // namespace kiln
