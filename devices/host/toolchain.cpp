#include "devices/host/toolchain.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "devices/host/cache_directory.h"
#include "devices/host/child_process.h"

namespace kiln::devices {
namespace {

using runtime::InstructionSet;
using std::chrono::milliseconds;

constexpr std::array kCompilers = {"clang++-19", "clang++", "clang++-20", "clang++-18"};
// GNU ld links a kernel in 5 ms, lld in 20.
constexpr std::array kLinkers = {"ld.bfd", "ld", "ld.lld-19", "ld.lld"};
constexpr int kOldestClang = 17;
constexpr std::string_view kInstall = "install the Debian packages clang-19 and binutils";

constexpr size_t kMaxDiagnostics = 4 << 10;
constexpr int64_t kMaxFileBytes = 256 << 20;
// On a busy machine a compiler gets only part of a processor.
constexpr int kWallPerCpuTime = 4;
constexpr milliseconds kVersionLimit{30'000};

constexpr const char* kTextFile = "variant.cpp";
constexpr const char* kObjectFile = "variant.o";
constexpr const char* kSharedFile = "variant.so";

std::string search_path() {
  const char* path = std::getenv("PATH");
  return path ? path : "/usr/local/bin:/usr/bin:/bin";
}

std::optional<std::string> find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) {
    return access(name.c_str(), X_OK) == 0 ? std::optional(name) : std::nullopt;
  }
  for (const std::string& directory :
       std::vector<std::string>(absl::StrSplit(search_path(), ':'))) {
    // An empty or relative entry means the current folder, which may be anybody's.
    if (!directory.starts_with('/')) continue;
    std::string path = fmt::format("{}/{}", directory, name);
    if (access(path.c_str(), X_OK) == 0) return path;
  }
  return std::nullopt;
}

template <size_t N>
std::optional<std::string> find_first(const std::array<const char*, N>& names) {
  for (const char* name : names) {
    if (std::optional<std::string> path = find_program(name)) return path;
  }
  return std::nullopt;
}

// Nothing of the caller's environment reaches the compiler but where programs are.
std::vector<std::string> environment(const std::string& temporary) {
  return {fmt::format("PATH={}", search_path()), "LC_ALL=C", fmt::format("TMPDIR={}", temporary)};
}

// "Debian clang version 19.1.7 (3~deb12u1)" to "clang 19.1.7".
std::optional<std::string> clang_version(std::string_view text) {
  constexpr std::string_view kMark = "clang version ";
  const size_t mark = text.find(kMark);
  if (mark == std::string_view::npos) return std::nullopt;
  text.remove_prefix(mark + kMark.size());
  return fmt::format("clang {}", text.substr(0, text.find_first_of(" \n(-+~")));
}

StatusOr<std::string> ask_version(const std::string& compiler) {
  const ChildCommand command{
      .arguments = {compiler, "--version"}, .environment = environment("/tmp"), .directory = ""};
  const ChildLimits limits{.cpu_time = kVersionLimit, .wall_time = kVersionLimit};
  KILN_ASSIGN_OR_RETURN(const ChildResult result, run_child(command, limits, {}));
  std::optional<std::string> version = clang_version(result.output);
  if (result.end != ChildResult::End::kExited || result.code != 0 || !version) {
    return absl::UnavailableError(
        fmt::format("{} does not answer --version as clang does ({}); {}", compiler,
                    result.output.empty() ? "no output" : printable(result.output, 80), kInstall));
  }
  const int major = std::atoi(version->c_str() + std::strlen("clang "));
  if (major < kOldestClang) {
    return absl::UnavailableError(fmt::format("{} is {}; kernels need clang {} or newer; {}",
                                              compiler, *version, kOldestClang, kInstall));
  }
  return *std::move(version);
}

// The program's output without the names of our folders, and not more than a person reads.
std::string diagnostics(const ChildResult& result, const std::string& sources,
                        const std::string& work) {
  std::string text = absl::StrReplaceAll(result.output, {{sources + "/", ""}, {work + "/", ""}});
  while (!text.empty() && text.back() == '\n')
    text.pop_back();
  if (text.size() > kMaxDiagnostics) {
    text.resize(kMaxDiagnostics);
    text += " …";
  }
  return text;
}

bool mentions(std::string_view text, std::initializer_list<std::string_view> phrases) {
  for (std::string_view phrase : phrases) {
    if (text.find(phrase) != std::string_view::npos) return true;
  }
  return false;
}

Status judge(std::string_view program, const ChildResult& result, const std::string& text,
             const CompileOptions& options) {
  using End = ChildResult::End;
  const std::string cpu_limit = fmt::format("{} s", double(options.cpu_limit.count()) / 1000);
  switch (result.end) {
    case End::kStopped:
      return absl::CancelledError("compilation stopped");
    case End::kOutOfTime:
      return absl::DeadlineExceededError(
          fmt::format("the {} hangs: it did not end within {} times its limit of {} CPU time",
                      program, kWallPerCpuTime, cpu_limit));
    case End::kSignalled:
      if (result.code == SIGXCPU) {
        return absl::DeadlineExceededError(
            fmt::format("the {} exceeded its limit of {} CPU time", program, cpu_limit));
      }
      if (result.code == SIGKILL) {
        return absl::ResourceExhaustedError(
            fmt::format("the {} was killed, by its CPU time limit of {} or for want of memory",
                        program, cpu_limit));
      }
      return absl::FailedPreconditionError(fmt::format("the {} crashed ({}){}{}", program,
                                                       strsignal(result.code),
                                                       text.empty() ? "" : ": ", text));
    case End::kExited:
      break;
  }
  if (result.code == 0) return absl::OkStatus();
  if (mentions(text, {"No space left on device", "Disk quota exceeded"})) {
    return absl::ResourceExhaustedError(fmt::format(
        "the disk of the cache directory is full; free space there or choose another: {}", text));
  }
  if (mentions(text,
               {"out of memory", "bad_alloc", "Cannot allocate memory", "memory exhausted"})) {
    return absl::ResourceExhaustedError(fmt::format("the {} ran out of memory (limit {} MiB): {}",
                                                    program, options.memory_limit >> 20, text));
  }
  return absl::FailedPreconditionError(
      text.empty()
          ? fmt::format("the {} failed with exit code {} and said nothing", program, result.code)
          : text);
}

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

StatusOr<Toolchain::Programs> Toolchain::programs() const {
  std::lock_guard lock(mutex_);
  if (found_) return *found_;
  const std::optional<std::string> compiler =
      wanted_.empty() ? find_first(kCompilers) : find_program(wanted_);
  if (!compiler) {
    return absl::UnavailableError(
        wanted_.empty() ? fmt::format("no clang++ in PATH; {}", kInstall)
                        : fmt::format("no compiler {}; {}, or name another", wanted_, kInstall));
  }
  const std::optional<std::string> linker = find_first(kLinkers);
  if (!linker) return absl::UnavailableError(fmt::format("no linker ld in PATH; {}", kInstall));
  KILN_ASSIGN_OR_RETURN(std::string version, ask_version(*compiler));
  found_ = Programs{*compiler, *linker, std::move(version)};
  return *found_;
}

StatusOr<std::string> Toolchain::version() const {
  KILN_ASSIGN_OR_RETURN(Programs programs, this->programs());
  return programs.version;
}

StatusOr<std::string> Toolchain::compile(const std::string& text, const std::string& sources,
                                         const std::string& work,
                                         const std::vector<std::string>& flags,
                                         const CompileOptions& options) const {
  KILN_ASSIGN_OR_RETURN(const Programs programs, this->programs());
  KILN_RETURN_IF_ERROR(write_file(fmt::format("{}/{}", work, kTextFile), text));
  const ChildLimits limits{.niceness = options.niceness,
                           .cpu_time = options.cpu_limit,
                           .wall_time = options.cpu_limit * kWallPerCpuTime,
                           .memory_bytes = options.memory_limit,
                           .file_bytes = kMaxFileBytes};
  auto run = [&](std::string_view program, std::vector<std::string> arguments) -> Status {
    const ChildCommand command{
        .arguments = std::move(arguments), .environment = environment(work), .directory = work};
    KILN_ASSIGN_OR_RETURN(const ChildResult result, run_child(command, limits, options.stop));
    return judge(program, result, diagnostics(result, sources, work), options);
  };

  std::vector<std::string> compile = {programs.compiler, "--no-default-config",
                                      "-fno-crash-diagnostics", "-fno-color-diagnostics",
                                      "-I" + sources,
                                      // Places in the sources are named from the tree's root.
                                      fmt::format("-fmacro-prefix-map={}/=", sources)};
  compile.insert(compile.end(), flags.begin(), flags.end());
  for (const char* last : {"-c", kTextFile, "-o", kObjectFile})
    compile.push_back(last);
  KILN_RETURN_IF_ERROR(run("compiler", std::move(compile)));
  // The loader of the run time asks for this hash table and for data that is never executable.
  KILN_RETURN_IF_ERROR(run(
      "linker", {programs.linker, "-shared", "--hash-style=sysv", "-z", "noexecstack", "-z", "defs",
                 "-z", "separate-code", "--build-id=none", "-s", kObjectFile, "-o", kSharedFile}));
  return read_file(fmt::format("{}/{}", work, kSharedFile));
}

}  // namespace kiln::devices
