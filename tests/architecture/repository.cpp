#include "tests/architecture/repository.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

namespace kiln::architecture {
namespace {

namespace fs = std::filesystem;

const fs::path kRoot = KILN_SOURCE_DIRECTORY;

bool left_out(const fs::path& folder) {
  const std::string name = folder.filename();
  return (name.starts_with('.') && name != ".ci") || name == "__pycache__" ||
         name.starts_with("build");
}

void collect(const fs::path& folder, std::vector<SourceFile>& files) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_directory()) {
      if (!left_out(entry.path())) collect(entry.path(), files);
    } else if (entry.is_regular_file() && entry.path().filename() != ".git") {
      std::string path = fs::relative(entry.path(), kRoot).generic_string();
      std::string text = read_file(path);
      if (text.find('\0') == std::string::npos) files.push_back({std::move(path), std::move(text)});
    }
  }
}

}  // namespace

std::string read_file(std::string_view path) {
  std::ifstream stream(kRoot / path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::vector<SourceFile> source_files(const std::vector<std::string>& folders) {
  std::vector<SourceFile> files;
  if (folders.empty()) collect(kRoot, files);
  for (const auto& folder : folders) {
    if (fs::exists(kRoot / folder)) collect(kRoot / folder, files);
  }
  std::sort(files.begin(), files.end(),
            [](const SourceFile& a, const SourceFile& b) { return a.path < b.path; });
  return files;
}

std::vector<Include> includes(const SourceFile& file) {
  std::vector<Include> found;
  std::istringstream lines(file.text);
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    size_t at = line.find_first_not_of(" \t");
    if (at == std::string::npos || line[at] != '#') continue;
    at = line.find_first_not_of(" \t", at + 1);
    if (at == std::string::npos || line.compare(at, 7, "include") != 0) continue;
    const size_t open = line.find_first_of("\"<", at);
    if (open == std::string::npos) continue;
    const size_t close = line.find(line[open] == '"' ? '"' : '>', open + 1);
    if (close == std::string::npos) continue;
    found.push_back({line.substr(open + 1, close - open - 1), line[open] == '"', number});
  }
  return found;
}

bool is_code(std::string_view path) {
  return path.ends_with(".h") || path.ends_with(".cpp");
}

}  // namespace kiln::architecture
