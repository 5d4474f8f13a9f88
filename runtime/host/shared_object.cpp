#include "runtime/host/shared_object.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "runtime/host/elf_image.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

namespace kiln::runtime {
namespace {

constexpr const char* kInfoSymbol = "kiln_host_info_v1";
constexpr const char* kBlocksSymbol = "kiln_host_blocks_v1";
constexpr KilnU32 kMaxEntries = 64;
constexpr size_t kMaxName = 256;
// Callers may bring threads with small stacks; what an entry needs beyond this belongs in scratch.
constexpr KilnU32 kMaxStack = 1 << 20;
constexpr KilnU32 kMaxScratch = 256 << 20;

Status refuse(std::string_view fault) {
  return absl::FailedPreconditionError(fmt::format("not a loadable kernel: {}", fault));
}

StatusOr<int> memory_file(std::string_view bytes) {
  int file = memfd_create("kiln-kernel", MFD_CLOEXEC | MFD_EXEC);
  if (file < 0 && errno == EINVAL) file = memfd_create("kiln-kernel", MFD_CLOEXEC);  // Linux < 6.3
  if (file < 0) {
    return absl::ErrnoToStatus(errno, "cannot make a memory file for a kernel's code");
  }
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t written = write(file, bytes.data() + done, bytes.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      const int error = errno;
      close(file);
      return absl::ErrnoToStatus(error, "cannot write a kernel's code to memory");
    }
    done += size_t(written);
  }
  return file;
}

// The loader takes an equal path for the library that it has already, and descriptor numbers are
// reused; so every load spells its path in its own way ("/" and "./" repeated change nothing).
std::string unique_path(int file) {
  static std::atomic<uint64_t> loads{0};
  std::string path = "/proc/self/fd/";
  for (uint64_t bits = ++loads; bits != 0; bits >>= 1)
    path += bits & 1 ? "./" : "/";
  return path + std::to_string(file);
}

// The content that the image has at an address, as far as its segment goes.
class LoadedImage {
 public:
  LoadedImage(const ElfImage& image, uint64_t base) : image_(image), base_(base) {}

  bool contains(const void* address, uint64_t size) const {
    return image_.contains(uint64_t(address) - base_, size);
  }
  std::optional<std::string_view> text_at(const char* address) const {
    const uint64_t room = image_.room_at(uint64_t(address) - base_);
    const size_t length = strnlen(address, std::min<uint64_t>(room, kMaxName));
    if (room == 0 || length == std::min<uint64_t>(room, kMaxName)) return std::nullopt;
    return std::string_view(address, length);
  }

 private:
  const ElfImage& image_;
  uint64_t base_;
};

Status check_info(const LoadedImage& image, const KilnHostInfo* info,
                  std::string_view instruction_set) {
  if (!image.contains(info, sizeof(KilnHostInfo))) return refuse("information outside the object");
  if (info->abi_version != kKilnHostAbiVersion) {
    return refuse(fmt::format("version {} of the host ABI; this run time has {}", info->abi_version,
                              int(kKilnHostAbiVersion)));
  }
  if (info->entries == 0 || info->entries > kMaxEntries ||
      !image.contains(info->entry, info->entries * sizeof(KilnHostEntry))) {
    return refuse("its table of entries is damaged");
  }
  std::optional<std::string_view> compiled_for = image.text_at(info->instruction_set);
  if (compiled_for != instruction_set) {
    return refuse(fmt::format("compiled for instruction set {}, declared as {}",
                              printable(compiled_for.value_or("(damaged)")),
                              printable(instruction_set)));
  }
  for (const KilnHostEntry& entry : std::span(info->entry, info->entries)) {
    std::optional<std::string_view> name = image.text_at(entry.name);
    if (!name || name->empty()) return refuse("an entry without a name");
    if (entry.stack_bytes > kMaxStack) {
      return refuse(fmt::format("entry {} needs {} bytes of stack; at most {} are promised",
                                printable(*name), entry.stack_bytes, kMaxStack));
    }
    if (entry.scratch_bytes > kMaxScratch) {
      return refuse(fmt::format("entry {} needs {} bytes of scratch; at most {} are given",
                                printable(*name), entry.scratch_bytes, kMaxScratch));
    }
  }
  return absl::OkStatus();
}

}  // namespace

StatusOr<std::unique_ptr<SharedObject>> SharedObject::load(std::string_view bytes,
                                                           std::string_view instruction_set) {
  KILN_ASSIGN_OR_RETURN(const ElfImage image, ElfImage::check(bytes));
  KILN_ASSIGN_OR_RETURN(const int file, memory_file(bytes));
  const std::string path = unique_path(file);
  // The mapping keeps the file; the descriptor is not needed after dlopen().
  void* handle = dlopen(path.c_str(), RTLD_LOCAL | RTLD_NOW);
  const char* error = handle ? nullptr : dlerror();
  close(file);
  if (!handle) return refuse(printable(error ? error : "unknown reason"));
  std::unique_ptr<SharedObject> object(new SharedObject(handle));

  link_map* map = nullptr;
  if (dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0) return refuse("the loader does not know it");
  const LoadedImage loaded(image, map->l_addr);

  void* info = dlsym(handle, kInfoSymbol);
  void* blocks = dlsym(handle, kBlocksSymbol);
  for (auto [symbol, name] : {std::pair(info, kInfoSymbol), std::pair(blocks, kBlocksSymbol)}) {
    if (!symbol || !image.is_code(uint64_t(symbol) - map->l_addr))
      return refuse(fmt::format("no symbol {}", name));
  }
  object->info_ = reinterpret_cast<const KilnHostInfo* (*)()>(info)();
  object->blocks_ = reinterpret_cast<Blocks>(blocks);
  KILN_RETURN_IF_ERROR(check_info(loaded, object->info_, instruction_set));
  return object;
}

SharedObject::~SharedObject() {
  dlclose(handle_);
}

}  // namespace kiln::runtime
