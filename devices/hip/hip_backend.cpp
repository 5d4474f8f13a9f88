#include "devices/hip/hip_backend.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "devices/compile/cache_directory.h"
#include "devices/compile/disassembly.h"
#include "devices/compile/program.h"
#include "devices/hip/code_object.h"
#include "devices/hip/hip_tools.h"

namespace kiln::devices {
namespace {

constexpr const char* kTextFile = "variant.hip";
constexpr const char* kCodeFile = "variant.co";

// That shape the code, whichever compiler takes them.
std::vector<std::string> shaping_options(const Target& target) {
  return {"--offload-arch=" + target.architecture, "-std=c++20", "-O3"};
}

}  // namespace

StatusOr<HipBackend::Choice> HipBackend::choose() const {
  const std::optional<HipTools::Hiprtc> hiprtc =
      prefers_clang_ ? std::nullopt : HipTools::instance().hiprtc_for(target_.architecture);
  if (hiprtc) {
    return Choice{.version = hiprtc->text,
                  .command = {find_helper("kiln-rtc"), "hiprtc", hiprtc->library, kTextFile,
                              kCodeFile, "code"}};
  }
  KILN_ASSIGN_OR_RETURN(Clang::Found clang, clang_.find());
  KILN_RETURN_IF_ERROR(HipTools::instance().linker_of(clang.path));
  return Choice{.version = std::move(clang.version),
                .command = {clang.path, "--no-default-config", "-fno-crash-diagnostics",
                            "-fno-color-diagnostics", "-x", "hip", "--offload-device-only",
                            "--no-gpu-bundle-output", "-nogpuinc", "-nogpulib", "-nostdinc"},
                .is_clang = true};
}

std::string HipBackend::flags() const {
  return fmt::format("{}", fmt::join(shaping_options(target_), " "));
}

StatusOr<std::string> HipBackend::version() const {
  KILN_ASSIGN_OR_RETURN(Choice choice, choose());
  return std::move(choice.version);
}

StatusOr<Build> HipBackend::build(const BuildJob& job) const {
  if (job.options.form != CompileOptions::Form::kMachineCode) {
    return invalid_field("form", "ptx", "machine code; PTX is for the targets sm_…");
  }
  KILN_ASSIGN_OR_RETURN(Choice choice, choose());
  KILN_RETURN_IF_ERROR(write_file(job.work + "/" + kTextFile, job.text));
  std::vector<std::string> command = std::move(choice.command);
  const std::vector<std::string> options = shaping_options(target_);
  command.insert(command.end(), options.begin(), options.end());
  command.push_back("-I" + job.sources);
  if (choice.is_clang) command.insert(command.end(), {kTextFile, "-o", kCodeFile});
  KILN_RETURN_IF_ERROR(run_program({.title = "compiler",
                                    .arguments = std::move(command),
                                    .sources = job.sources,
                                    .work = job.work},
                                   job.options)
                           .status());
  Build build{.bytes = {}, .toolchain = std::move(choice.version), .entries = {}};
  KILN_ASSIGN_OR_RETURN(build.bytes, read_file(job.work + "/" + kCodeFile));
  KILN_ASSIGN_OR_RETURN(build.entries, read_code_object(build.bytes, job.entries));
  KILN_RETURN_IF_ERROR(count_instructions(
      job, HipTools::instance().disassembler(),
      {"-d", "--no-leading-addr", "--no-show-raw-insn", kCodeFile}, count_gcn, build.entries));
  return build;
}

}  // namespace kiln::devices
