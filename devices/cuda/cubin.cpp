#include "devices/cuda/cubin.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "absl/strings/numbers.h"
#include "devices/gpu/elf_sections.h"

namespace kiln::devices {
namespace {

std::string_view take_line(std::string_view& text) {
  const size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

// 512 of "Used 168 registers, 512 bytes smem" before " bytes smem"; nullopt: no such words.
std::optional<int64_t> number_before(std::string_view line, std::string_view words) {
  const size_t end = line.find(words);
  if (end == std::string_view::npos || end == 0) return std::nullopt;
  const size_t start = line.find_last_not_of("0123456789", end - 1) + 1;
  int64_t number = 0;
  if (!absl::SimpleAtoi(std::string(line.substr(start, end - start)), &number)) return std::nullopt;
  return number;
}

// "Function properties for forward", and on the next two lines
// "0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads" and
// "Used 168 registers, used 1 barriers, 512 bytes smem".
bool read_log(std::string_view log, ResourceUse& use) {
  const std::string heading = "Function properties for " + use.entry + "\n";
  const size_t at = log.find(heading);
  if (at == std::string_view::npos) return false;
  log.remove_prefix(at + heading.size());
  const std::string_view memory = take_line(log), used = take_line(log);
  const auto stack = number_before(memory, " bytes stack frame");
  const auto stores = number_before(memory, " bytes spill stores");
  const auto loads = number_before(memory, " bytes spill loads");
  const auto registers = number_before(used, " registers");
  if (!stack || !stores || !loads || !registers) return false;
  use.stack_bytes = *stack;
  use.spill_bytes = std::max(*stores, *loads);
  use.registers = int(*registers);
  use.scratchpad_bytes = number_before(used, " bytes smem").value_or(0);
  return true;
}

}  // namespace

StatusOr<std::vector<ResourceUse>> read_cubin(std::string_view cubin, std::string_view log,
                                              std::span<const std::string> entries) {
  KILN_ASSIGN_OR_RETURN(const std::vector<ElfSection> sections, elf_sections(cubin));
  std::vector<ResourceUse> uses;
  for (const std::string& entry : entries) {
    ResourceUse use{.entry = entry,
                    .instructions = {},
                    .matrix_instructions = {},
                    .warpgroup_instructions = {}};
    const std::string section = ".text." + entry;
    if (std::ranges::find(sections, section, &ElfSection::name) == sections.end() ||
        !read_log(log, use)) {
      return absl::FailedPreconditionError(
          fmt::format("the compiler says nothing about entry {}", printable(entry)));
    }
    uses.push_back(std::move(use));
  }
  return uses;
}

}  // namespace kiln::devices
