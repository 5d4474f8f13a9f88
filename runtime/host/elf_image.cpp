#include "runtime/host/elf_image.h"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>

namespace kiln::runtime {

// Walks a file in the order in which the loader does, using nothing before it was checked.
class ElfChecker {
 public:
  explicit ElfChecker(std::string_view bytes) : bytes_(bytes) {}

  StatusOr<ElfImage> check() {
    KILN_RETURN_IF_ERROR(check_header());
    KILN_RETURN_IF_ERROR(check_segments());
    KILN_RETURN_IF_ERROR(read_dynamic());
    KILN_RETURN_IF_ERROR(check_hash_table());
    KILN_RETURN_IF_ERROR(check_symbols());
    KILN_RETURN_IF_ERROR(check_relocations());
    return std::move(image_);
  }

 private:
  static constexpr int kMaxSegments = 64;
  static constexpr int kMaxSymbols = 1 << 16;
  static constexpr uint64_t kPage = 4096;
  static constexpr uint64_t kMaxAddress = uint64_t{1} << 32;  // a kernel is far below 4 GiB

  static Status refuse(std::string_view fault) {
    return absl::FailedPreconditionError(fmt::format("not a loadable kernel: {}", fault));
  }

  // A copy of the T at a file offset; the file promises no alignment.
  template <class T>
  std::optional<T> at(uint64_t offset) const {
    if (offset > bytes_.size() || bytes_.size() - offset < sizeof(T)) return std::nullopt;
    T value;
    std::memcpy(&value, bytes_.data() + offset, sizeof(T));
    return value;
  }

  // File offset of a range of the loaded image that comes from the file; nullopt otherwise.
  std::optional<uint64_t> offset_of(uint64_t address, uint64_t size) const {
    for (const Elf64_Phdr& load : loads_) {
      if (address >= load.p_vaddr && address - load.p_vaddr <= load.p_filesz &&
          load.p_filesz - (address - load.p_vaddr) >= size) {
        return load.p_offset + (address - load.p_vaddr);
      }
    }
    return std::nullopt;
  }

  bool is_writable(uint64_t address, uint64_t size) const {
    for (const Elf64_Phdr& load : loads_) {
      if (address >= load.p_vaddr && address - load.p_vaddr <= load.p_memsz &&
          load.p_memsz - (address - load.p_vaddr) >= size) {
        return load.p_flags & PF_W;
      }
    }
    return false;
  }

  Status check_header() {
    std::optional<Elf64_Ehdr> header = at<Elf64_Ehdr>(0);
    if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) return refuse("no ELF file");
    if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB ||
        header->e_ident[EI_VERSION] != EV_CURRENT || header->e_machine != EM_X86_64) {
      return refuse("ELF file for another machine than x86-64");
    }
    if (header->e_type != ET_DYN) return refuse("ELF file that is no shared object");
    if (header->e_phentsize != sizeof(Elf64_Phdr)) return refuse("unknown program header size");
    if (header->e_phnum == 0 || header->e_phnum > kMaxSegments) {
      return refuse("no or too many program headers");
    }
    header_ = *header;
    return absl::OkStatus();
  }

  Status check_segments() {
    bool stack_is_data = false;
    uint64_t end = 0;
    for (int i = 0; i < header_.e_phnum; ++i) {
      std::optional<Elf64_Phdr> segment =
          at<Elf64_Phdr>(header_.e_phoff + uint64_t(i) * sizeof(Elf64_Phdr));
      if (!segment) return refuse("program headers beyond the end of the file");
      const bool in_file = segment->p_offset <= bytes_.size() &&
                           bytes_.size() - segment->p_offset >= segment->p_filesz;
      switch (segment->p_type) {
        case PT_LOAD:
          if (!in_file) return refuse("segment beyond the end of the file");
          if (segment->p_filesz > segment->p_memsz || segment->p_vaddr > kMaxAddress ||
              segment->p_memsz > kMaxAddress) {
            return refuse("segment of impossible size");
          }
          if (segment->p_vaddr < end) return refuse("overlapping or unordered segments");
          if (segment->p_align & (segment->p_align - 1) ||
              (segment->p_vaddr - segment->p_offset) % kPage != 0 ||
              segment->p_align > kMaxAddress) {
            return refuse("segment of impossible alignment");
          }
          if ((segment->p_flags & (PF_W | PF_X)) == (PF_W | PF_X)) {
            return refuse("memory both writable and executable");
          }
          if (!(segment->p_flags & PF_R)) return refuse("memory that cannot be read");
          end = segment->p_vaddr + segment->p_memsz;
          loads_.push_back(*segment);
          image_.segments_.push_back(
              {segment->p_vaddr, segment->p_memsz, (segment->p_flags & PF_X) != 0});
          break;
        case PT_DYNAMIC:
          if (dynamic_) return refuse("two dynamic sections");
          dynamic_ = *segment;
          break;
        case PT_GNU_STACK:
          stack_is_data = !(segment->p_flags & PF_X);
          break;
        case PT_GNU_RELRO:
          relro_ = *segment;
          break;
        case PT_INTERP:
          return refuse("it asks for a program interpreter");
        case PT_TLS:
          return refuse("it has thread-local variables");
        default:
          break;  // notes and unwind tables: the loader does not follow them
      }
    }
    if (loads_.empty()) return refuse("nothing to load");
    if (!stack_is_data) return refuse("it asks for executable stacks");
    if (!dynamic_) return refuse("no dynamic section");
    // The loader protects whole pages, so linkers round the range up to one.
    if (relro_ && (!is_writable(relro_->p_vaddr, 1) || relro_->p_memsz > kMaxAddress ||
                   !is_writable(relro_->p_vaddr, relro_->p_memsz - relro_->p_memsz % kPage))) {
      return refuse("read-only-after-relocation range outside writable memory");
    }
    return absl::OkStatus();
  }

  Status read_dynamic() {
    std::optional<uint64_t> offset = offset_of(dynamic_->p_vaddr, dynamic_->p_filesz);
    if (!offset || dynamic_->p_filesz != dynamic_->p_memsz || *offset != dynamic_->p_offset ||
        !is_writable(dynamic_->p_vaddr, dynamic_->p_memsz)) {
      return refuse("dynamic section outside loaded data");
    }
    for (uint64_t i = 0; i < dynamic_->p_filesz / sizeof(Elf64_Dyn); ++i) {
      const Elf64_Dyn entry = *at<Elf64_Dyn>(*offset + i * sizeof(Elf64_Dyn));
      const uint64_t value = entry.d_un.d_val;
      switch (entry.d_tag) {
        case DT_NULL:
          return absl::OkStatus();
        case DT_HASH:
          hash_ = value;
          break;
        case DT_SYMTAB:
          symbols_ = value;
          break;
        case DT_STRTAB:
          strings_ = value;
          break;
        case DT_STRSZ:
          strings_size_ = value;
          break;
        case DT_RELA:
          relocations_ = value;
          break;
        case DT_RELASZ:
          relocations_size_ = value;
          break;
        case DT_PLTRELSZ:
          if (value != 0) return refuse("it calls through a linkage table");
          break;
        case DT_SYMENT:
          if (value != sizeof(Elf64_Sym)) return refuse("unknown symbol size");
          break;
        case DT_RELAENT:
          if (value != sizeof(Elf64_Rela)) return refuse("unknown relocation size");
          break;
        case DT_RELACOUNT:
          relative_count_ = value;
          break;
        case DT_FLAGS:
          if (value & (DF_TEXTREL | DF_STATIC_TLS)) return refuse("it relocates its code");
          break;
        case DT_FLAGS_1:
        case DT_SONAME:
        case DT_DEBUG:
        case DT_SYMBOLIC:
        case DT_BIND_NOW:
        case DT_PLTGOT:
          break;
        case DT_NEEDED:
          return refuse("it needs another library");
        case DT_INIT:
        case DT_INIT_ARRAY:
        case DT_PREINIT_ARRAY:
        case DT_FINI:
        case DT_FINI_ARRAY:
          return refuse("it runs code when loaded or unloaded");
        default:
          return refuse(fmt::format("unexpected dynamic entry 0x{:x}", entry.d_tag));
      }
    }
    return refuse("dynamic section without an end");
  }

  // The loader finds symbols through this table and follows its chains without a bound.
  Status check_hash_table() {
    if (!hash_ || !symbols_ || !strings_) return refuse("no symbol table of the System V form");
    std::optional<uint64_t> offset = offset_of(hash_, 2 * sizeof(uint32_t));
    if (!offset) return refuse("symbol hash table outside loaded data");
    const uint64_t buckets = *at<uint32_t>(*offset);
    symbol_count_ = *at<uint32_t>(*offset + 4);
    if (buckets == 0 || buckets > kMaxSymbols || symbol_count_ > kMaxSymbols ||
        !offset_of(hash_, (2 + buckets + symbol_count_) * sizeof(uint32_t))) {
      return refuse("symbol hash table of impossible size");
    }
    auto word = [&](uint64_t index) { return uint64_t(*at<uint32_t>(*offset + 8 + index * 4)); };
    for (uint64_t bucket = 0; bucket < buckets; ++bucket) {
      uint64_t steps = 0;
      for (uint64_t symbol = word(bucket); symbol != 0; symbol = word(buckets + symbol)) {
        if (symbol >= symbol_count_ || ++steps > symbol_count_) {
          return refuse("damaged symbol hash table");
        }
      }
    }
    return absl::OkStatus();
  }

  Status check_symbols() {
    std::optional<uint64_t> strings = offset_of(strings_, strings_size_);
    std::optional<uint64_t> symbols = offset_of(symbols_, symbol_count_ * sizeof(Elf64_Sym));
    if (!strings || !symbols || strings_size_ == 0) return refuse("symbols outside loaded data");
    const std::string_view names = bytes_.substr(*strings, strings_size_);
    if (names.back() != '\0') return refuse("symbol names without an end");
    for (uint64_t i = 1; i < symbol_count_; ++i) {
      const Elf64_Sym symbol = *at<Elf64_Sym>(*symbols + i * sizeof(Elf64_Sym));
      if (symbol.st_name >= names.size()) return refuse("symbol name outside its table");
      const std::string name(names.data() + symbol.st_name);
      const int type = ELF64_ST_TYPE(symbol.st_info);
      if (type == STT_SECTION) continue;
      if (symbol.st_shndx == SHN_UNDEF) {
        return refuse(fmt::format("undefined symbol {}", printable(name)));
      }
      if (type != STT_NOTYPE && type != STT_OBJECT && type != STT_FUNC) {
        return refuse(fmt::format("symbol of unexpected type: {}", printable(name)));
      }
      if (!image_.contains(symbol.st_value, 1)) {
        return refuse(fmt::format("symbol outside the object: {}", printable(name)));
      }
      image_.exports_.push_back(name);
    }
    return absl::OkStatus();
  }

  // Only "add the load address": everything else would look up symbols or run code.
  Status check_relocations() {
    if (relocations_size_ == 0) return absl::OkStatus();
    std::optional<uint64_t> offset = offset_of(relocations_, relocations_size_);
    const uint64_t count = relocations_size_ / sizeof(Elf64_Rela);
    if (!offset || relocations_size_ % sizeof(Elf64_Rela) != 0 || relative_count_ > count) {
      return refuse("relocations outside loaded data");
    }
    for (uint64_t i = 0; i < count; ++i) {
      const Elf64_Rela relocation = *at<Elf64_Rela>(*offset + i * sizeof(Elf64_Rela));
      if (ELF64_R_TYPE(relocation.r_info) != R_X86_64_RELATIVE) {
        return refuse("relocation against a symbol");
      }
      if (!is_writable(relocation.r_offset, sizeof(uint64_t))) {
        return refuse("relocation outside writable memory");
      }
    }
    return absl::OkStatus();
  }

  const std::string_view bytes_;
  ElfImage image_;
  Elf64_Ehdr header_{};
  std::vector<Elf64_Phdr> loads_;
  std::optional<Elf64_Phdr> dynamic_, relro_;
  uint64_t hash_ = 0, symbols_ = 0, strings_ = 0, strings_size_ = 0;
  uint64_t relocations_ = 0, relocations_size_ = 0, relative_count_ = 0;
  uint64_t symbol_count_ = 0;
};

StatusOr<ElfImage> ElfImage::check(std::string_view bytes) {
  return ElfChecker(bytes).check();
}

bool ElfImage::contains(uint64_t address, uint64_t size) const {
  return room_at(address) >= size;
}

bool ElfImage::is_code(uint64_t address) const {
  return std::ranges::any_of(segments_, [&](const Segment& segment) {
    return segment.executable && address >= segment.address &&
           address - segment.address < segment.size;
  });
}

uint64_t ElfImage::room_at(uint64_t address) const {
  for (const Segment& segment : segments_) {
    if (address >= segment.address && address - segment.address < segment.size) {
      return segment.size - (address - segment.address);
    }
  }
  return 0;
}

}  // namespace kiln::runtime
