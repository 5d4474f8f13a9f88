// A stand-in for NVRTC in tests: compiles for the emulator instead of a GPU, by way of the host's
// clang, and says so as a cubin with ptxas' log would. The driver of the tests (driver_shim.cpp)
// runs what it makes.
//
// What an entry takes is told by members of the variant's Config, where a test has them:
// shim_registers, shim_spill_bytes.

#include <fmt/format.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "devices/compile/cache_directory.h"
#include "devices/compile/program.h"
#include "devices/host/toolchain.h"

namespace {

using kiln::Status;
using kiln::StatusOr;

constexpr int kCompilation = 6;  // NVRTC_ERROR_COMPILATION

struct Program {
  std::string text;
  std::string log;
  std::string code;
};

// 512 of "static constexpr int name = 512;"
int64_t member(std::string_view text, std::string_view name, int64_t otherwise) {
  const size_t at = text.find(fmt::format(" {} = ", name));
  if (at == std::string_view::npos) return otherwise;
  text.remove_prefix(at + name.size() + 4);
  int64_t value = otherwise;
  return absl::SimpleAtoi(std::string(text.substr(0, text.find(';'))), &value) ? value : otherwise;
}

// The translation unit for the emulator, and the entries' names.
std::string for_emulator(const std::string& text, std::vector<std::string>& entries) {
  std::string made;
  std::vector<std::string> kernels;
  constexpr std::string_view kEntry = "KILN_ENTRY(";
  for (const std::string& line : std::vector<std::string>(absl::StrSplit(text, '\n'))) {
    if (!line.starts_with(kEntry)) {
      made += fmt::format("{}\n", line);
      continue;
    }
    const std::vector<std::string> parts =
        absl::StrSplit(line.substr(kEntry.size(), line.size() - kEntry.size() - 1), ", ");
    entries.push_back(parts[0]);
    kernels.push_back(parts[2]);
  }
  made += fmt::format("KILN_ENTRIES(Config, {})\n", fmt::join(kernels, ", "));
  return absl::StrReplaceAll(made, {{"\"tile/cuda.h\"", "\"tile/emulator.h\""}});
}

StatusOr<std::string> compile(Program& program, const std::string& sources) {
  std::vector<std::string> entries;
  const std::string text = for_emulator(program.text, entries);
  std::vector<std::string> flags = kiln::devices::Toolchain::plain_flags();
  flags.insert(flags.end(), {"-march=x86-64", "-DTILE_EMULATOR_LANES=32"});
  char work[4096];
  if (!getcwd(work, sizeof work)) return absl::InternalError("no folder");
  const kiln::devices::Toolchain toolchain("");
  KILN_ASSIGN_OR_RETURN(const std::string object,
                        toolchain.compile(text, sources, work, flags, {}));
  KILN_RETURN_IF_ERROR(kiln::devices::write_file(std::string(work) + "/shim.so", object));
  KILN_RETURN_IF_ERROR(kiln::devices::write_file(std::string(work) + "/shim.empty", "\n"));
  const auto objcopy = kiln::devices::find_program("objcopy");
  if (!objcopy) return absl::UnavailableError("no objcopy");
  std::vector<std::string> command = {*objcopy};
  for (const std::string& entry : entries) {
    command.push_back("--add-section");
    command.push_back(fmt::format(".text.{}=shim.empty", entry));
    program.log += fmt::format(
        "ptxas info    : Function properties for {}\n"
        "    0 bytes stack frame, {} bytes spill stores, 0 bytes spill loads\n"
        "ptxas info    : Used {} registers, used 1 barriers\n",
        entry, member(program.text, "shim_spill_bytes", 0),
        member(program.text, "shim_registers", 64));
  }
  command.insert(command.end(), {"shim.so", "shim.cubin"});
  KILN_RETURN_IF_ERROR(
      kiln::devices::run_program(
          {.title = "objcopy", .arguments = std::move(command), .sources = sources, .work = work},
          {})
          .status());
  return kiln::devices::read_file(std::string(work) + "/shim.cubin");
}

int give(const std::string& text, char* to) {
  memcpy(to, text.c_str(), text.size() + 1);
  return 0;
}

}  // namespace

#define SHIM extern "C" __attribute__((visibility("default")))

SHIM int nvrtcVersion(int* major, int* minor) {
  *major = 12;
  *minor = 8;
  return 0;
}
SHIM const char* nvrtcGetErrorString(int error) {
  return error == kCompilation ? "NVRTC_ERROR_COMPILATION" : "an error";
}
SHIM int nvrtcCreateProgram(void** program, const char* text, const char*, int, const char* const*,
                            const char* const*) {
  *program = new Program{.text = text, .log = {}, .code = {}};
  return 0;
}
SHIM int nvrtcCompileProgram(void* opaque, int count, const char* const* options) {
  auto& program = *static_cast<Program*>(opaque);
  std::string sources;
  for (int i = 0; i < count; ++i) {
    const std::string_view option = options[i];
    if (option.starts_with("-I")) sources = option.substr(2);
  }
  StatusOr<std::string> code = compile(program, sources);
  if (!code.ok()) {
    program.log = std::string(code.status().message());
    return kCompilation;
  }
  program.code = *std::move(code);
  return 0;
}
SHIM int nvrtcDestroyProgram(void** program) {
  delete static_cast<Program*>(*program);
  *program = nullptr;
  return 0;
}
SHIM int nvrtcGetProgramLogSize(void* program, size_t* size) {
  *size = static_cast<Program*>(program)->log.size() + 1;
  return 0;
}
SHIM int nvrtcGetProgramLog(void* program, char* log) {
  return give(static_cast<Program*>(program)->log, log);
}
SHIM int nvrtcGetCUBINSize(void* program, size_t* size) {
  *size = static_cast<Program*>(program)->code.size();
  return 0;
}
SHIM int nvrtcGetCUBIN(void* program, char* code) {
  const std::string& made = static_cast<Program*>(program)->code;
  made.copy(code, made.size());
  return 0;
}
SHIM int nvrtcGetPTXSize(void* program, size_t* size) {
  return nvrtcGetCUBINSize(program, size);
}
SHIM int nvrtcGetPTX(void* program, char* code) {
  return nvrtcGetCUBIN(program, code);
}
