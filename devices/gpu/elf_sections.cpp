#include "devices/gpu/elf_sections.h"

#include <elf.h>

#include <cstring>

namespace kiln::devices {
namespace {

constexpr size_t kMaxSections = 1 << 12;

template <class T>
std::optional<T> read_at(std::string_view file, uint64_t offset) {
  if (offset > file.size() || file.size() - offset < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, file.data() + offset, sizeof(T));
  return value;
}

std::string_view slice(std::string_view file, uint64_t offset, uint64_t size) {
  if (offset > file.size() || file.size() - offset < size) return {};
  return file.substr(offset, size);
}

std::string_view text_at(std::string_view table, uint64_t offset) {
  if (offset >= table.size()) return {};
  table.remove_prefix(offset);
  return table.substr(0, table.find('\0'));
}

}  // namespace

StatusOr<std::vector<ElfSection>> elf_sections(std::string_view file) {
  const auto header = read_at<Elf64_Ehdr>(file, 0);
  if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
      header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB ||
      header->e_shentsize != sizeof(Elf64_Shdr) || header->e_shnum > kMaxSections) {
    return absl::FailedPreconditionError("not a 64-bit ELF file with sections");
  }
  std::vector<Elf64_Shdr> headers;
  for (size_t i = 0; i < header->e_shnum; ++i) {
    const auto section = read_at<Elf64_Shdr>(file, header->e_shoff + i * sizeof(Elf64_Shdr));
    if (!section) return absl::FailedPreconditionError("an ELF file cut short");
    headers.push_back(*section);
  }
  std::string_view names;
  if (header->e_shstrndx < headers.size()) {
    names = slice(file, headers[header->e_shstrndx].sh_offset, headers[header->e_shstrndx].sh_size);
  }
  std::vector<ElfSection> sections;
  for (const Elf64_Shdr& section : headers) {
    sections.push_back({.name = text_at(names, section.sh_name),
                        .type = section.sh_type,
                        .content = section.sh_type == SHT_NOBITS
                                       ? std::string_view()
                                       : slice(file, section.sh_offset, section.sh_size)});
  }
  return sections;
}

std::vector<ElfNote> elf_notes(std::string_view section) {
  std::vector<ElfNote> notes;
  auto padded = [](uint64_t size) { return (size + 3) / 4 * 4; };
  while (const auto note = read_at<Elf64_Nhdr>(section, 0)) {
    const uint64_t owner = sizeof(Elf64_Nhdr), content = owner + padded(note->n_namesz);
    if (content > section.size() || section.size() - content < note->n_descsz) break;
    notes.push_back({.owner = text_at(section.substr(owner, note->n_namesz), 0),
                     .type = note->n_type,
                     .content = section.substr(content, note->n_descsz)});
    section.remove_prefix(std::min<uint64_t>(section.size(), content + padded(note->n_descsz)));
  }
  return notes;
}

}  // namespace kiln::devices
