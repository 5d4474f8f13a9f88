#include "devices/hip/code_object.h"

#include <elf.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "devices/gpu/elf_sections.h"

namespace kiln::devices {
namespace {

using Json = nlohmann::json;

constexpr uint32_t kMetadata = 32;  // NT_AMDGPU_METADATA
constexpr int64_t kRegisterBytes = 4;

Json metadata(std::string_view file) {
  const auto sections = elf_sections(file);
  if (!sections.ok()) return {};
  for (const ElfSection& section : *sections) {
    if (section.type != SHT_NOTE) continue;
    for (const ElfNote& note : elf_notes(section.content)) {
      if (note.owner != "AMDGPU" || note.type != kMetadata) continue;
      return Json::from_msgpack(note.content.begin(), note.content.end(), /*strict=*/true,
                                /*allow_exceptions=*/false);
    }
  }
  return {};
}

int64_t number(const Json& kernel, const char* key) {
  const auto found = kernel.find(key);
  return found != kernel.end() && found->is_number_integer() ? found->get<int64_t>() : 0;
}

bool is_entry(const Json& kernel, const std::string& entry) {
  if (!kernel.is_object()) return false;
  const auto name = kernel.find(".name");
  return name != kernel.end() && name->is_string() && *name == entry;
}

}  // namespace

StatusOr<std::vector<ResourceUse>> read_code_object(std::string_view file,
                                                    std::span<const std::string> entries) {
  const Json document = metadata(file);
  const auto kernels = document.is_object() ? document.find("amdhsa.kernels") : document.end();
  if (!document.is_object() || kernels == document.end() || !kernels->is_array()) {
    return absl::FailedPreconditionError("not a code object with AMD's metadata");
  }
  std::vector<ResourceUse> uses;
  for (const std::string& entry : entries) {
    const auto kernel = std::ranges::find_if(
        *kernels, [&](const Json& candidate) { return is_entry(candidate, entry); });
    if (kernel == kernels->end()) {
      return absl::FailedPreconditionError(
          fmt::format("the code object has no entry {}", printable(entry)));
    }
    uses.push_back({.entry = entry,
                    // Accumulation registers are among them.
                    .registers = int(number(*kernel, ".vgpr_count")),
                    .scalar_registers = int(number(*kernel, ".sgpr_count")),
                    .spill_bytes = kRegisterBytes * number(*kernel, ".vgpr_spill_count"),
                    .stack_bytes = number(*kernel, ".private_segment_fixed_size"),
                    .scratchpad_bytes = number(*kernel, ".group_segment_fixed_size"),
                    .instructions = {},
                    .matrix_instructions = {},
                    .warpgroup_instructions = {}});
  }
  return uses;
}

}  // namespace kiln::devices
