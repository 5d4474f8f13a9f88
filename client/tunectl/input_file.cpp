#include "client/tunectl/input_file.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>

#include "client/tunectl/text.h"

namespace kiln::tunectl {
namespace {

Status file_error(const std::string& path) {
  return absl::ErrnoToStatus(errno, safe_text(path));
}

}  // namespace

StatusOr<std::string> read_file(const std::string& path, size_t max_bytes) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"),
                                                             &std::fclose);
  if (file == nullptr) return file_error(path);
  struct stat info{};
  if (fstat(fileno(file.get()), &info) != 0) return file_error(path);
  if (S_ISDIR(info.st_mode)) {
    return absl::InvalidArgumentError(fmt::format("{}: is a directory", safe_text(path)));
  }
  std::string content;
  char buffer[64 << 10];
  while (content.size() <= max_bytes) {
    const size_t got = std::fread(buffer, 1, sizeof buffer, file.get());
    content.append(buffer, got);
    if (got < sizeof buffer) break;
  }
  if (std::ferror(file.get()) != 0) return file_error(path);
  content.resize(std::min(content.size(), max_bytes + 1));
  return content;
}

}  // namespace kiln::tunectl
