#include "db/sqlite/state_directory.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <utility>

namespace kiln::db {
namespace {

// statfs(2) and linux/magic.h
constexpr std::array<std::pair<int64_t, std::string_view>, 10> kNetworkFileSystems = {{
    {0x6969, "NFS"},
    {0x517b, "SMB"},
    {0xff534d42, "CIFS"},
    {0xfe534d42, "SMB2"},
    {0x00c36400, "Ceph"},
    {0x0bd00bd0, "Lustre"},
    {0x47504653, "GPFS"},
    {0x5346414f, "AFS"},
    {0x6b414653, "AFS"},
    {0x73757245, "Coda"},
}};

}  // namespace

std::optional<std::string_view> network_file_system(int64_t magic) {
  for (const auto& [number, name] : kNetworkFileSystems) {
    if (number == (magic & 0xffffffff)) return name;
  }
  return std::nullopt;
}

Status prepare_state_directory(const std::string& path) {
  if (path.empty()) return invalid_field("state_directory", path, "a path");
  const std::filesystem::path parent = std::filesystem::path(path).lexically_normal().parent_path();
  std::error_code error;
  if (!parent.empty()) std::filesystem::create_directories(parent, error);
  if (error) {
    return absl::ErrnoToStatus(error.value(), fmt::format("state directory {}", parent.string()));
  }
  if (::mkdir(path.c_str(), S_IRWXU) != 0 && errno != EEXIST) {
    return absl::ErrnoToStatus(errno, fmt::format("state directory {}", path));
  }
  if (!std::filesystem::is_directory(path, error)) {
    return absl::FailedPreconditionError(fmt::format("{} is no directory", path));
  }
  struct statfs system{};
  if (::statfs(path.c_str(), &system) != 0) {
    return absl::ErrnoToStatus(errno, fmt::format("state directory {}", path));
  }
  if (const auto name = network_file_system(int64_t(system.f_type))) {
    return absl::FailedPreconditionError(
        fmt::format("state directory {} lies on {}, where databases get damaged; choose a "
                    "directory on a local disk",
                    path, *name));
  }
  return absl::OkStatus();
}

}  // namespace kiln::db
