#include "devices/host/toolchain.h"

#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

#include "devices/compile/cache_directory.h"
#include "devices/compile/program.h"

namespace kiln::devices {
namespace {

using runtime::InstructionSet;

// GNU ld links a kernel in 5 ms, lld in 20.
constexpr std::array kLinkers = {"ld.bfd", "ld", "ld.lld-19", "ld.lld"};
constexpr std::string_view kInstall = "install the Debian package binutils";

constexpr const char* kTextFile = "variant.cpp";
constexpr const char* kObjectFile = "variant.o";
constexpr const char* kSharedFile = "variant.so";

}  // namespace

std::vector<std::string> Toolchain::plain_flags() {
  return {"-std=c++20",
          "-O1",
          "-fPIC",
          "-fno-exceptions",
          "-fno-rtti",
          "-ffreestanding",
          "-fno-math-errno",
          "-ffp-contract=off",
          "-fvisibility=hidden",
          "-fno-asynchronous-unwind-tables",
          "-fno-stack-protector",
          "-fno-threadsafe-statics",
          "-nostdinc"};
}

std::vector<std::string> Toolchain::flags(InstructionSet set) {
  // Kernels are written in their final form: -O1 gives the speed of -O3 in half the time, and loop
  // strength reduction undoes their addressing. Templates that a variant does not use, other
  // layouts' blocks above all, are not even parsed.
  std::vector<std::string> flags = plain_flags();
  flags.insert(flags.begin() + 2, {"-mllvm", "-disable-lsr"});
  flags.insert(flags.end() - 1,
               {"-fdelayed-template-parsing", "-Wno-delayed-template-parsing-in-cxx20"});
  auto add = [&](std::initializer_list<const char*> more) {
    flags.insert(flags.end(), more.begin(), more.end());
  };
  switch (set) {
    case InstructionSet::kBaseline:
      add({"-march=x86-64"});
      break;
    case InstructionSet::kAvx2:
      add({"-march=x86-64-v3", "-mtune=znver3"});
      break;
    case InstructionSet::kAvx512:
      add({"-march=x86-64-v4", "-mtune=znver4", "-mprefer-vector-width=512"});
      break;
    case InstructionSet::kAvx512Bf16:
      add({"-march=x86-64-v4", "-mavx512vnni", "-mavx512bf16", "-mtune=znver4",
           "-mprefer-vector-width=512"});
      break;
  }
  return flags;
}

StatusOr<std::string> Toolchain::compile(const std::string& text, const std::string& sources,
                                         const std::string& work,
                                         const std::vector<std::string>& flags,
                                         const CompileOptions& options) const {
  KILN_ASSIGN_OR_RETURN(const Clang::Found clang, clang_.find());
  const std::optional<std::string> linker = find_first_program(kLinkers);
  if (!linker) return absl::UnavailableError(fmt::format("no linker ld in PATH; {}", kInstall));
  KILN_RETURN_IF_ERROR(write_file(fmt::format("{}/{}", work, kTextFile), text));
  auto run = [&](const char* title, std::vector<std::string> arguments) {
    return run_program({.title = title,
                        .arguments = std::move(arguments),
                        .sources = sources,
                        .work = work},
                       options)
        .status();
  };

  std::vector<std::string> compile = {clang.path, "--no-default-config", "-fno-crash-diagnostics",
                                      "-fno-color-diagnostics", "-I" + sources,
                                      // Places in the sources are named from the tree's root.
                                      fmt::format("-fmacro-prefix-map={}/=", sources)};
  compile.insert(compile.end(), flags.begin(), flags.end());
  for (const char* last : {"-c", kTextFile, "-o", kObjectFile})
    compile.push_back(last);
  KILN_RETURN_IF_ERROR(run("compiler", std::move(compile)));
  // The loader of the run time asks for this hash table and for data that is never executable.
  KILN_RETURN_IF_ERROR(run(
      "linker", {*linker, "-shared", "--hash-style=sysv", "-z", "noexecstack", "-z", "defs", "-z",
                 "separate-code", "--build-id=none", "-s", kObjectFile, "-o", kSharedFile}));
  return read_file(fmt::format("{}/{}", work, kSharedFile));
}

}  // namespace kiln::devices
