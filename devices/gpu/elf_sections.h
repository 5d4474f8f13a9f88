// Sections of a 64-bit ELF file, as GPU compilers write them. Nothing is believed of the file:
// sections outside of it are left out.

#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/status.h"

namespace kiln::devices {

struct ElfSection {
  std::string_view name;
  uint32_t type = 0;
  std::string_view content;  // in the file; empty for NOBITS
};

struct ElfNote {
  std::string_view owner;
  uint32_t type = 0;
  std::string_view content;
};

// Views into `file`. FAILED_PRECONDITION when it is no such file.
StatusOr<std::vector<ElfSection>> elf_sections(std::string_view file);

std::vector<ElfNote> elf_notes(std::string_view section);

}  // namespace kiln::devices
