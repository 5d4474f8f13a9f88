// A compiler: kernel sources in, machine code of one target out. No device of that target needs to
// be there.
//
//     KILN_ASSIGN_OR_RETURN(auto compiler, open_compiler("sm_90a", options));
//     KILN_ASSIGN_OR_RETURN(Compilation made, compiler->compile(source, {}));
//
// The vendor's compiler runs in a child process, within limits of CPU time and memory: what it does
// to itself (some abort on an architecture that they do not know) costs one variant. Thread-safe.

#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/artifact.h"
#include "core/kernel_source.h"
#include "core/status.h"
#include "core/target.h"

namespace kiln::devices {

// Files that kernels include, path (relative to templates/) to content.
using SourceTree = std::map<std::string, std::string, std::less<>>;

struct CompileOptions {
  enum class Form : uint8_t { kMachineCode, kPtx };

  int niceness = 0;                             // of the compiler process
  std::chrono::milliseconds cpu_limit{30'000};  // CPU time
  int64_t memory_limit = 4ll << 30;             // address space, bytes
  std::stop_token stop = {};
  Form form = Form::kMachineCode;
};

// What a block of one entry takes of a GPU, read from the machine code.
struct ResourceUse {
  std::string entry;
  int registers = 0;                    // of a thread; AMD: vector and accumulation registers
  int scalar_registers = 0;             // of a wavefront (AMD)
  int64_t spill_bytes = 0;              // a thread's: registers that were put into memory
  int64_t stack_bytes = 0;              // a thread's, spilled registers included
  int64_t scratchpad_bytes = 0;         // a block's, known at compile time
  std::optional<int64_t> instructions;  // nullopt: no disassembler here
  std::optional<int64_t> matrix_instructions;
  std::optional<int64_t> warpgroup_instructions;  // of these, by a warpgroup together
  bool operator==(const ResourceUse&) const = default;
};

struct Compilation {
  Artifact artifact;
  std::vector<ResourceUse> entries;  // in the source's order; host artifacts and PTX: none
};

class Compiler {
 public:
  virtual ~Compiler() = default;

  virtual const Target& target() const = 0;
  // Compiler and version, "clang 19.1.7"; UNAVAILABLE says what is missing and how to install it.
  virtual StatusOr<std::string> version() const = 0;

  // What identifies the code of a variant: digest of the translation unit, every file it may
  // include, and the flags. Does not compile.
  virtual std::string code_identity(const KernelSource& source) const = 0;

  // Blocks. Errors: FAILED_PRECONDITION with the compiler's diagnostics (first 4 KiB),
  // DEADLINE_EXCEEDED or RESOURCE_EXHAUSTED at a limit, CANCELLED when stopped, UNAVAILABLE without
  // a compiler, INVALID_ARGUMENT for a form that the target does not have.
  virtual StatusOr<Compilation> compile(const KernelSource& source,
                                        const CompileOptions& options) const = 0;
};

struct CompilerOptions {
  SourceTree sources;           // the kernels' files
  std::string cache_directory;  // where sources and compilations may be written; mode 0700
  std::string compiler;         // clang to use; empty: look for clang++-19, clang++ in PATH
};

// By the target's name: "host", "host:avx2", "sm_90a", "gfx942". NOT_FOUND names the targets that
// there are. Whether the vendor's compiler is there shows when it is asked for.
StatusOr<std::unique_ptr<Compiler>> open_compiler(std::string_view target,
                                                  const CompilerOptions& options);

// Every target that this build knows.
std::vector<std::string> target_names();

}  // namespace kiln::devices
