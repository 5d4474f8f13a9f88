// Packets and descriptors over a SOCK_SEQPACKET pair. Functions are thread-safe for different
// sockets.

#pragma once

#include <chrono>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/status.h"
#include "tuner/memory_file.h"

namespace kiln::tuner::worker {

inline constexpr int64_t kMaxPacketBytes = 64 << 10;

StatusOr<std::pair<FileDescriptor, FileDescriptor>> make_channel();

// UNAVAILABLE when the other end is gone.
Status send_packet(int socket, std::string_view packet, std::span<const int> fds = {});

struct Packet {
  std::string bytes;
  std::vector<FileDescriptor> fds;
};
// Waits for one packet. UNAVAILABLE when the other end is gone; DATA_LOSS when it was cut.
StatusOr<Packet> receive_packet(int socket);

template <class Message>
Status send_message(int socket, const Message& message, std::span<const int> fds = {}) {
  return send_packet(socket, {reinterpret_cast<const char*>(&message), sizeof message}, fds);
}

}  // namespace kiln::tuner::worker
