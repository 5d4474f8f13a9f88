// Files that came with a package from Python's registry: how compilers and disassemblers are often
// installed. Which files a package has, and where, Python is asked.

#pragma once

#include <span>
#include <string>
#include <string_view>

namespace kiln::devices {

// The first file of the first of `packages` that is installed whose name begins with `prefix`;
// empty when there is none. Asks the active environment's Python, that of a .venv above this
// program, and the one in PATH.
std::string find_in_python_packages(std::span<const std::string_view> packages,
                                    std::string_view prefix);

}  // namespace kiln::devices
