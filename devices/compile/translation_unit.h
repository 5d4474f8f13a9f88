// The C++ text that instantiates a kernel for a target, and which files it draws in.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/kernel_source.h"
#include "core/status.h"
#include "devices/compiler.h"

namespace kiln::devices {

// The file that opens a target to kernels, and how entries are written behind it.
struct Lowering {
  std::string_view header;  // "tile/host.h"
  // One KILN_ENTRY(name, Config, Kernel) a kernel, where entries are symbols of the artifact; else
  // one KILN_ENTRIES(Config, Kernel, …).
  bool separate_entries = false;
};

// Includes the lowering and the kernel, defines Config, and ends with the entries:
//
//     #include "tile/host.h"
//     #include "attention_forward/kernel.h"
//     namespace {
//     struct Config {
//       using Element = tile::bf16;
//       static constexpr int block_m = 64;
//     };
//     }
//     KILN_ENTRIES(Config, kiln::attention_forward::Forward, kiln::attention_forward::Merge)
//
// INVALID_ARGUMENT when a name or a value could not stand there, or no such header exists.
StatusOr<std::string> translation_unit(const KernelSource& source, const Lowering& lowering,
                                       const SourceTree& tree);

// What plans call the entry of a kernel: "kiln::attention_forward::ForwardPart" is "forward_part".
std::string entry_name(std::string_view kernel);

// The files of `tree` that `text` includes, directly or through others, sorted. Follows every
// #include "..." that names a file of the tree (from its root or beside the including file), taken
// or not by the preprocessor: it may name too many, never too few.
std::vector<std::string> included_files(const std::string& text, const SourceTree& tree);

}  // namespace kiln::devices
