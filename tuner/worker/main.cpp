// kiln-worker: runs compiled variants on behalf of a tuner, each in a process of its own.
//
// Started by the tuner with a control channel as descriptor 3; ends when that is closed.

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "tuner/worker/protocol.h"
#include "tuner/worker/zygote.h"

int main(int argc, char** argv) {
  using namespace kiln::tuner::worker;
  if (argc == 2 && strcmp(argv[1], "--version") == 0) {
    printf("kiln-worker, protocol %u\n", kProtocolVersion);
    return 0;
  }
  int type = 0;
  socklen_t length = sizeof type;
  if (getsockopt(kControlFd, SOL_SOCKET, SO_TYPE, &type, &length) != 0 || type != SOCK_SEQPACKET) {
    fprintf(stderr, "kiln-worker is started by the tuner and does nothing by itself\n");
    return 2;
  }
  close_range(kControlFd + 1, ~0u, 0);  // whatever the parent left open
  fcntl(kControlFd, F_SETFD, FD_CLOEXEC);
  return run_zygote(kControlFd);
}
