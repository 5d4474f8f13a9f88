// The checkout as its own tests see it: which files there are and what they include.

#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kiln::architecture {

struct SourceFile {
  std::string path;  // from the repository root
  std::string text;
};

// Every text file under `folders` (the whole checkout when empty), sorted by path; build trees,
// hidden folders and environments are left out.
std::vector<SourceFile> source_files(const std::vector<std::string>& folders = {});

std::string read_file(std::string_view path);

struct Include {
  std::string path;
  bool quoted = false;  // "path" rather than <path>
  int line = 0;
};
std::vector<Include> includes(const SourceFile& file);

bool is_code(std::string_view path);  // .h, .cpp

}  // namespace kiln::architecture
