// What the system's loader will believe about a shared object, checked before it sees it.
//
// The loader trusts what it maps: a truncated or damaged file can crash it, and a file may ask it
// to load others or to run code at once. An ElfImage exists only for an x86-64 shared object whose
// tables lie inside the file, that needs no other library and no symbol of one, that has nothing to
// run when loaded, and whose memory is never writable and executable together. It must carry a
// symbol hash table of the System V form (ld --hash-style=sysv).
//
// Passing says nothing about what the code does.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/status.h"

namespace kiln::runtime {

class ElfImage {
 public:
  // FAILED_PRECONDITION says what is wrong with the file.
  static StatusOr<ElfImage> check(std::string_view bytes);

  // Symbols that the object defines for others.
  const std::vector<std::string>& exports() const { return exports_; }
  // Whether [address, address + size) lies in one segment; addresses are relative to the load base.
  bool contains(uint64_t address, uint64_t size) const;
  bool is_code(uint64_t address) const;
  // Bytes from `address` to the end of its segment's content; 0 when it lies in none.
  uint64_t room_at(uint64_t address) const;

 private:
  friend class ElfChecker;
  struct Segment {
    uint64_t address;
    uint64_t size;
    bool executable;
  };
  std::vector<Segment> segments_;
  std::vector<std::string> exports_;
};

}  // namespace kiln::runtime
