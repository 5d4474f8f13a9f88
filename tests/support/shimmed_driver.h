// A driver of the tests' own, with its compiler, for every process that is started from here
// (driver_shim.cpp, nvrtc_shim.cpp).

#pragma once

#include <stdlib.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <optional>
#include <string>

namespace kiln::testing {

// An environment variable while this lives.
class ScopedVariable {
 public:
  ScopedVariable(const char* name, const std::string& value) : name_(name) {
    if (const char* before = getenv(name)) before_ = before;
    setenv(name, value.c_str(), 1);
  }
  ~ScopedVariable() {
    if (before_) {
      setenv(name_, before_->c_str(), 1);
    } else {
      unsetenv(name_);
    }
  }
  ScopedVariable(const ScopedVariable&) = delete;
  ScopedVariable& operator=(const ScopedVariable&) = delete;

 private:
  const char* name_;
  std::optional<std::string> before_;
};

class ShimmedDriver {
 public:
  explicit ShimmedDriver(const std::string& fault = "works")
      : libraries_("LD_LIBRARY_PATH", directory(fault)),
        programs_("PATH", directory(fault) + ":" + getenv("PATH")) {
    REQUIRE(std::filesystem::exists(directory(fault) + "/libcuda.so.1"));
  }

 private:
  static std::string directory(const std::string& fault) {
    return std::string(KILN_BINARY_DIRECTORY) + "/tests/shims/" + fault;
  }

  ScopedVariable libraries_, programs_;
};

}  // namespace kiln::testing
