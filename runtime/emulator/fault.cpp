#include "runtime/emulator/fault.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace kiln::runtime::emulator {
namespace {

std::string text_of(const KilnPlace& place) {
  return place.file ? fmt::format("{}:{}", place.file, place.line) : "an unknown place";
}

bool same_place(const KilnPlace& a, const KilnPlace& b) {
  return a.line == b.line && std::string_view(a.file ? a.file : "") == (b.file ? b.file : "");
}

}  // namespace

std::string_view name_of(Fault::Kind kind) {
  switch (kind) {
    case Fault::Kind::kOutOfBounds:
      return "out of bounds";
    case Fault::Kind::kMisaligned:
      return "misaligned access";
    case Fault::Kind::kReadOnly:
      return "write to an input";
    case Fault::Kind::kUninitialised:
      return "read of uninitialised scratchpad";
    case Fault::Kind::kRace:
      return "race";
    case Fault::Kind::kScattered:
      return "scattered copy";
    case Fault::Kind::kInFlight:
      return "asynchronous copy in flight";
    case Fault::Kind::kUnfenced:
      return "missing fence";
    case Fault::Kind::kDivergence:
      return "divergence";
    case Fault::Kind::kBadMap:
      return "bad tensor map";
    case Fault::Kind::kScratchpadSize:
      return "scratchpad too small";
  }
  return "fault";
}

std::string Fault::text() const {
  return fmt::format("{}: {}; {} ({}), thread {} of block ({}, {}, {})", name_of(kind), detail,
                     text_of(kernel), text_of(lowering), thread, block[0], block[1], block[2]);
}

void FaultLog::add(Fault fault) {
  std::lock_guard lock(mutex_);
  ++count_;
  const bool known = std::ranges::any_of(kept_, [&](const Fault& f) {
    return f.kind == fault.kind && same_place(f.kernel, fault.kernel) &&
           same_place(f.lowering, fault.lowering);
  });
  if (!known && kept_.size() < kMostKept) kept_.push_back(std::move(fault));
}

bool FaultLog::empty() const {
  std::lock_guard lock(mutex_);
  return count_ == 0;
}

std::vector<Fault> FaultLog::faults() const {
  std::lock_guard lock(mutex_);
  return kept_;
}

Status FaultLog::status(uint64_t seed) const {
  std::lock_guard lock(mutex_);
  if (count_ == 0) return absl::OkStatus();
  std::string text =
      fmt::format("the emulator found {} fault{} (seed {})", count_, count_ == 1 ? "" : "s", seed);
  for (const Fault& fault : kept_)
    text += "; " + fault.text();
  return absl::FailedPreconditionError(text);
}

}  // namespace kiln::runtime::emulator
