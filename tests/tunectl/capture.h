// An output whose text a test can read, with the abilities that the test chooses.

#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>

#include "client/tunectl/terminal.h"

namespace kiln::tunectl {

class Capture {
 public:
  explicit Capture(Terminal::Abilities abilities = {})
      : stream_(open_memstream(&buffer_, &size_)), terminal_(stream_, abilities) {}
  ~Capture() {
    std::fclose(stream_);
    std::free(buffer_);
  }
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  Terminal& terminal() { return terminal_; }
  std::string text() {
    std::fflush(stream_);
    return std::string(buffer_, size_);
  }

 private:
  char* buffer_ = nullptr;
  size_t size_ = 0;
  std::FILE* stream_;
  Terminal terminal_;
};

}  // namespace kiln::tunectl
