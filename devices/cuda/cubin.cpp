#include "devices/cuda/cubin.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "devices/gpu/elf_sections.h"

namespace kiln::devices {
namespace {

// The section of a kernel's code holds the number of its registers here.
constexpr int kRegisterShift = 24;

const ElfSection* find(const std::vector<ElfSection>& sections, const std::string& name) {
  const auto found = std::ranges::find(sections, name, &ElfSection::name);
  return found == sections.end() ? nullptr : &*found;
}

// "Function properties for forward", and on the next line
// "0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads".
bool read_log(std::string_view log, ResourceUse& use) {
  const std::string heading = "Function properties for " + use.entry + "\n";
  const size_t at = log.find(heading);
  if (at == std::string_view::npos) return false;
  log.remove_prefix(at + heading.size());
  log = log.substr(0, log.find('\n'));
  const size_t digits = log.find_first_of("0123456789");
  if (digits == std::string_view::npos) return false;
  const std::string line(log.substr(digits));
  long long stack = 0, stores = 0, loads = 0;
  if (std::sscanf(line.c_str(),
                  "%lld bytes stack frame, %lld bytes spill stores, %lld bytes spill loads", &stack,
                  &stores, &loads) != 3) {
    return false;
  }
  use.stack_bytes = stack;
  use.spill_bytes = std::max(stores, loads);
  return true;
}

}  // namespace

StatusOr<std::vector<ResourceUse>> read_cubin(std::string_view cubin, std::string_view log,
                                              std::span<const std::string> entries) {
  KILN_ASSIGN_OR_RETURN(const std::vector<ElfSection> sections, elf_sections(cubin));
  std::vector<ResourceUse> uses;
  for (const std::string& entry : entries) {
    ResourceUse use{.entry = entry, .instructions = {}, .matrix_instructions = {}};
    const ElfSection* code = find(sections, ".text." + entry);
    if (!code || !read_log(log, use)) {
      return absl::FailedPreconditionError(
          fmt::format("the compiler says nothing about entry {}", printable(entry)));
    }
    use.registers = int(code->info >> kRegisterShift);
    if (const ElfSection* shared = find(sections, ".nv.shared." + entry)) {
      use.scratchpad_bytes = int64_t(shared->size);
    }
    uses.push_back(std::move(use));
  }
  return uses;
}

}  // namespace kiln::devices
