#include "devices/compile/program.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "core/sanitizers.h"
#include "devices/compile/child_process.h"

namespace kiln::devices {
namespace {

using std::chrono::milliseconds;

constexpr size_t kMaxDiagnostics = 4 << 10;
constexpr int64_t kMaxFileBytes = 256 << 20;
constexpr milliseconds kQuestionLimit{30'000};

std::string search_path() {
  const char* path = std::getenv("PATH");
  return path ? path : "/usr/local/bin:/usr/bin:/bin";
}

// Nothing of the caller's environment reaches the compiler but where programs and libraries are.
std::vector<std::string> environment(const std::string& temporary) {
  std::vector<std::string> all = {fmt::format("PATH={}", search_path()), "LC_ALL=C",
                                  fmt::format("TMPDIR={}", temporary)};
  if (const char* libraries = std::getenv("LD_LIBRARY_PATH")) {
    all.push_back(fmt::format("LD_LIBRARY_PATH={}", libraries));
  }
  return all;
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

// What a program of ours reserves when it is instrumented, terabytes, is not what it uses.
bool is_instrumented(const std::string& program) {
  return (KILN_ADDRESS_SANITIZER || KILN_THREAD_SANITIZER) &&
         std::filesystem::path(program).filename().string().starts_with("kiln-");
}

}  // namespace

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

std::optional<std::string> find_first_program(std::span<const char* const> names) {
  for (const char* name : names) {
    if (std::optional<std::string> path = find_program(name)) return path;
  }
  return std::nullopt;
}

std::string find_helper(std::string_view name) {
  std::error_code error;
  const std::filesystem::path here =
      std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  for (const auto& candidate :
       {here / name, here / "../bin" / name, here / "../libexec/kiln" / name}) {
    if (access(candidate.c_str(), X_OK) == 0) return candidate.lexically_normal().string();
  }
  return (here / name).string();
}

StatusOr<std::string> run_program(const ProgramRun& run, const CompileOptions& options) {
  const ChildLimits limits{
      .niceness = options.niceness,
      .cpu_time = options.cpu_limit,
      .wall_time = options.cpu_limit * kWallPerCpuTime,
      .memory_bytes = is_instrumented(run.arguments.front()) ? 0 : options.memory_limit,
      .file_bytes = kMaxFileBytes,
      .output_bytes = run.output_bytes};
  const ChildCommand command{
      .arguments = run.arguments, .environment = environment(run.work), .directory = run.work};
  KILN_ASSIGN_OR_RETURN(ChildResult result, run_child(command, limits, options.stop));
  KILN_RETURN_IF_ERROR(
      judge(run.title, result, diagnostics(result, run.sources, run.work), options));
  return std::move(result.output);
}

StatusOr<std::string> ask_program(std::vector<std::string> arguments) {
  const ChildCommand command{
      .arguments = std::move(arguments), .environment = environment("/tmp"), .directory = ""};
  const ChildLimits limits{.cpu_time = kQuestionLimit, .wall_time = kQuestionLimit};
  const std::string program = command.arguments.front();
  KILN_ASSIGN_OR_RETURN(ChildResult result, run_child(command, limits, {}));
  if (result.end == ChildResult::End::kExited && result.code == 0) return std::move(result.output);
  return absl::UnavailableError(
      fmt::format("{} does not run: {}", program,
                  result.output.empty() ? "no output" : printable(result.output, 80)));
}

}  // namespace kiln::devices
