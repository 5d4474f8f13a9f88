#include "devices/compile/disassembly.h"

#include <algorithm>
#include <array>
#include <utility>

#include "devices/compile/program.h"

namespace kiln::devices {
namespace {

constexpr size_t kMaxDisassembly = 64 << 20;

// Tensor core and wgmma forms; the last are those of sm_100's tensor memory.
constexpr std::array<std::string_view, 9> kSassMatrix = {
    "HMMA", "IMMA", "DMMA", "QMMA", "OMMA", "HGMMA", "QGMMA", "UTCHMMA", "UTCQMMA"};
constexpr std::array<std::string_view, 2> kSassWarpgroup = {"HGMMA", "QGMMA"};
constexpr std::array<std::string_view, 4> kGcnMatrix = {"v_mfma_", "v_wmma_", "v_smfmac_",
                                                        "v_swmmac_"};

std::string_view first_word(std::string_view text) {
  const size_t start = text.find_first_not_of(" \t");
  if (start == std::string_view::npos) return {};
  text.remove_prefix(start);
  return text.substr(0, text.find_first_of(" \t;"));
}

std::string_view behind_first_word(std::string_view text) {
  const std::string_view word = first_word(text);
  return word.empty() ? std::string_view()
                      : text.substr(size_t(word.data() - text.data()) + word.size());
}

template <class Line>
void for_each_line(std::string_view text, Line line) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    line(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

}  // namespace

InstructionCounts count_sass(std::string_view text) {
  constexpr std::string_view kSection = ".section\t.text.";
  InstructionCounts counts;
  InstructionCount* current = nullptr;
  for_each_line(text, [&](std::string_view line) {
    if (const size_t at = line.find(kSection); at != std::string_view::npos) {
      const std::string_view rest = line.substr(at + kSection.size());
      current = &counts[std::string(rest.substr(0, rest.find(',')))];
      return;
    }
    // "/*0010*/", then perhaps a predicate, then the instruction.
    if (!current || !first_word(line).starts_with("/*")) return;
    line = behind_first_word(line);
    if (first_word(line).starts_with('@')) line = behind_first_word(line);
    const std::string_view operation = first_word(line);
    if (operation.empty() || operation.starts_with("/*")) return;
    ++current->all;
    const std::string_view name = operation.substr(0, operation.find('.'));
    current->matrix += std::ranges::find(kSassMatrix, name) != kSassMatrix.end();
    current->warpgroup += std::ranges::find(kSassWarpgroup, name) != kSassWarpgroup.end();
  });
  return counts;
}

InstructionCounts count_gcn(std::string_view text) {
  InstructionCounts counts;
  InstructionCount* current = nullptr;
  for_each_line(text, [&](std::string_view line) {
    if (const size_t at = line.find('<'); line.ends_with(">:") && at != std::string_view::npos) {
      current = &counts[std::string(line.substr(at + 1, line.size() - at - 3))];
      return;
    }
    const std::string_view operation = first_word(line);
    if (!current || !line.starts_with('\t') || operation.empty()) return;
    ++current->all;
    current->matrix += std::ranges::any_of(
        kGcnMatrix, [&](std::string_view prefix) { return operation.starts_with(prefix); });
  });
  return counts;
}

Status count_instructions(const BuildJob& job, const std::string& program,
                          const std::vector<std::string>& arguments,
                          InstructionCounts (*count)(std::string_view),
                          std::vector<ResourceUse>& entries) {
  if (program.empty()) return absl::OkStatus();
  std::vector<std::string> command = {program};
  command.insert(command.end(), arguments.begin(), arguments.end());
  KILN_ASSIGN_OR_RETURN(const std::string text, run_program({.title = "disassembler",
                                                             .arguments = std::move(command),
                                                             .sources = job.sources,
                                                             .work = job.work,
                                                             .output_bytes = kMaxDisassembly},
                                                            job.options));
  const InstructionCounts counts = count(text);
  for (ResourceUse& use : entries) {
    const auto found = counts.find(use.entry);
    if (found == counts.end()) continue;
    use.instructions = found->second.all;
    use.matrix_instructions = found->second.matrix;
    use.warpgroup_instructions = found->second.warpgroup;
  }
  return absl::OkStatus();
}

}  // namespace kiln::devices
