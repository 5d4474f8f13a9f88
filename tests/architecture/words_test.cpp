// Words that must not stand in the repository's files.

#include <algorithm>
#include <catch2/catch.hpp>
#include <cctype>

#include "tests/architecture/repository.h"

namespace kiln::architecture {
namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return char(std::tolower(c)); });
  return text;
}

bool is_word_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_';
}

// Whether a slash after this character goes on with a path rather than starting one.
bool continues_path(char c) {
  return is_word_character(c) || c == '}' || c == '.';
}

// "path:line: word" for each occurrence; with `whole`, only where it is a word of its own.
std::string occurrences(const SourceFile& file, const std::vector<std::string>& words, bool whole) {
  const std::string text = lower(file.text);
  std::string found;
  for (const auto& word : words) {
    for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
      const size_t end = at + word.size();
      const bool inside_word = (at > 0 && is_word_character(text[at - 1])) ||
                               (end < text.size() && is_word_character(text[end]));
      if (whole && inside_word) continue;
      if (word.front() == '/' && at > 0 && continues_path(text[at - 1])) continue;
      const auto line = 1 + std::count(text.begin(), text.begin() + std::ptrdiff_t(at), '\n');
      found += file.path + ":" + std::to_string(line) + ": " + word + "\n";
    }
  }
  return found;
}

TEST_CASE("a word is found where it stands alone") {
  CHECK(occurrences({"a.h", "one\nTwo cudaless CUDA\n"}, {"cuda"}, true) == "a.h:2: cuda\n");
  CHECK(occurrences({"a.h", "x_cuda"}, {"cuda"}, true).empty());
  CHECK(occurrences({"a.h", "x_cuda"}, {"cuda"}, false) == "a.h:1: cuda\n");
}

// Kernels are written once for every device. The lowerings (tile/wide, tile/simt and the files that
// open a target) are where a target may be named.
TEST_CASE("kernel files name no vendor, target or instruction") {
  const std::vector<std::string> words = {
      "nvidia",    "cuda",     "nvrtc",      "ptx",        "amd",       "hip",      "rocm",
      "hiprtc",    "intel",    "x86",        "avx2",       "avx512",    "__avx2__", "__avx512f__",
      "sse2",      "neon",     "immintrin",  "wgmma",      "mfma",      "wmma",     "__shfl",
      "threadidx", "blockidx", "__shared__", "__global__", "__device__"};
  std::string found;
  size_t kernels = 0;
  for (const auto& file : source_files({"templates"})) {
    if (!file.path.ends_with("kernel.h")) continue;
    ++kernels;
    found += occurrences(file, words, true);
  }
  CHECK(kernels >= 1);
  INFO(found);
  CHECK(found.empty());
}

TEST_CASE("no file names a registry's address or a path of one machine") {
  // Written in halves, so that this file passes its own test.
  const std::vector<std::string> words = {
      std::string("pypi.") + "org",         std::string("pythonhosted.") + "org",
      std::string("deb.debian.") + "org",   std::string("security.debian.") + "org",
      std::string("proxy.golang.") + "org", std::string("registry.npmjs.") + "org",
      std::string("index-") + "url",        std::string("/ro") + "ot/",
      std::string("/ho") + "me/",           std::string("/wo") + "rk/"};
  std::string found;
  size_t files = 0;
  for (const auto& file : source_files()) {
    ++files;
    found += occurrences(file, words, false);
  }
  CHECK(files > 100);
  INFO(found);
  CHECK(found.empty());
}

}  // namespace
}  // namespace kiln::architecture
