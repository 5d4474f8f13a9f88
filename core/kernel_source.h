// What a family hands to a compiler: a template and the values to instantiate it with. Names no
// target; each device writes the translation unit around it.

#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/dtype.h"

namespace kiln {

struct KernelSource {
  struct Member {
    std::string type;   // "int", "bool", "float", an enumeration of tile/; "type": a type alias
    std::string name;   // "block_m"
    std::string value;  // C++ text: "64", "true", "tile::bf16"

    static Member integer(std::string name, int64_t value) {
      return {"int", std::move(name), std::to_string(value)};
    }
    static Member boolean(std::string name, bool value) {
      return {"bool", std::move(name), value ? "true" : "false"};
    }
    // An element type of the tile language.
    static Member element(std::string name, Dtype dtype) {
      return {"type", std::move(name), "tile::" + std::string(name_of(dtype))};
    }
  };
  std::string header;                // "attention_forward/kernel.h", from templates/
  std::vector<Member> config;        // becomes struct Config
  std::vector<std::string> entries;  // "kiln::attention_forward::Forward", …
};

}  // namespace kiln
