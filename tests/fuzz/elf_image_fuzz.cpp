// Artifacts: the check that stands before the system's loader reads any bytes.

#include "runtime/host/elf_image.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto image = kiln::runtime::ElfImage::check(kiln::fuzz::text(data, size));
  if (!image.ok()) return 0;
  for (const uint64_t address : {uint64_t{0}, uint64_t{0x1000}, ~uint64_t{0}}) {
    const uint64_t room = image->room_at(address);
    kiln::fuzz::require(room == 0 || image->contains(address, room), "what has room is contained");
    (void)image->contains(address, ~uint64_t{0});
  }
  return 0;
}
