#include "devices/cuda/nvrtc_backend.h"

#include <fmt/format.h>

#include <utility>

#include "devices/compile/cache_directory.h"
#include "devices/compile/disassembly.h"
#include "devices/compile/program.h"
#include "devices/cuda/cubin.h"
#include "devices/cuda/cuda_tools.h"

namespace kiln::devices {
namespace {

constexpr const char* kTextFile = "variant.cu";
constexpr const char* kCodeFile = "variant.cubin";

std::vector<std::string> options_for(const Target& target) {
  return {"--gpu-architecture=" + target.architecture, "--std=c++20", "-default-device",
          "--ptxas-options=-v"};
}

}  // namespace

std::string NvrtcBackend::flags() const {
  return fmt::format("{}", fmt::join(options_for(target_), " "));
}

StatusOr<std::string> NvrtcBackend::version() const {
  KILN_ASSIGN_OR_RETURN(const CudaTools::Nvrtc nvrtc, CudaTools::instance().nvrtc());
  return nvrtc.text();
}

StatusOr<Build> NvrtcBackend::build(const BuildJob& job) const {
  KILN_ASSIGN_OR_RETURN(const CudaTools::Nvrtc nvrtc, CudaTools::instance().nvrtc());
  const bool ptx = job.options.form == CompileOptions::Form::kPtx;
  KILN_RETURN_IF_ERROR(write_file(job.work + "/" + kTextFile, job.text));
  std::vector<std::string> command = {
      find_helper("kiln-rtc"), "nvrtc", nvrtc.library, kTextFile, kCodeFile, ptx ? "ptx" : "cubin"};
  for (std::string& option : options_for(target_))
    command.push_back(std::move(option));
  command.push_back("-I" + job.sources);
  KILN_ASSIGN_OR_RETURN(const std::string log, run_program({.title = "compiler",
                                                            .arguments = std::move(command),
                                                            .sources = job.sources,
                                                            .work = job.work},
                                                           job.options));
  Build build{.bytes = {}, .toolchain = nvrtc.text(), .entries = {}};
  KILN_ASSIGN_OR_RETURN(build.bytes, read_file(job.work + "/" + kCodeFile));
  if (ptx) return build;
  KILN_ASSIGN_OR_RETURN(build.entries, read_cubin(build.bytes, log, job.entries));
  KILN_RETURN_IF_ERROR(count_instructions(job, CudaTools::instance().nvdisasm(), {"-c", kCodeFile},
                                          count_sass, build.entries));
  return build;
}

}  // namespace kiln::devices
