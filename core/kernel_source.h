// What a family hands to a compiler: a template and the values to instantiate it with. Names no
// target; each device writes the translation unit around it.

#pragma once

#include <string>
#include <vector>

namespace kiln {

struct KernelSource {
  struct Member {
    std::string type;   // "int", "bool", "float", an enumeration of tile/; "type": a type alias
    std::string name;   // "block_m"
    std::string value;  // C++ text: "64", "true", "tile::bf16"
  };
  std::string header;                // "attention_forward/kernel.h", from templates/
  std::vector<Member> config;        // becomes struct Config
  std::vector<std::string> entries;  // "kiln::attention_forward::Forward", …
};

}  // namespace kiln
