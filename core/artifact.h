// Compiled bytes, with what they were compiled from and for.

#pragma once

#include <string>

namespace kiln {

struct Artifact {
  std::string bytes;          // shared object, cubin, code object
  std::string hash;           // digest(bytes)
  std::string target_kind;    // "host"
  std::string architecture;   // instruction set or GPU architecture it needs
  std::string code_identity;  // digest of source, flags, schema and space version
  std::string toolchain;      // "clang 19.1.7"
};

}  // namespace kiln
