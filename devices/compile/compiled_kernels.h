// Compilations that are kept in a folder, for machines that lack the compiler.
//
// A file a compilation, named by its code identity. Whoever can write the folder can run code: it
// belongs to the user, as the cache in which it lies. A file is used only whole and for the code
// that it was made from.

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/status.h"
#include "devices/compiler.h"

namespace kiln::devices {

// The folder of a compiler's cache that holds them; SourceCompiler looks there before it compiles.
std::string compiled_kernels_in(std::string_view cache_directory);

Status keep_compiled(const std::string& folder, const Compilation& compilation);
// Nothing where there is no such file, or one that is damaged.
std::optional<Compilation> find_compiled(const std::string& folder, const std::string& identity);

}  // namespace kiln::devices
