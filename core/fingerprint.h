// Which hardware a measurement belongs to. Two devices with equal fingerprints share winners.
// No UUID, clock or free memory is in it; compiler and driver versions are columns beside the key.

#pragma once

#include <string>

#include "core/status.h"

namespace kiln {

struct Fingerprint {
  std::string kind;             // "host", "cuda", "hip", "emulator"
  std::string model;            // "AMD EPYC-Milan Processor (family 25 model 1)"
  std::string architecture;     // "x86_64", "sm_90"
  std::string instruction_set;  // "avx2"
  int units = 1;                // hardware threads available to a launch, multiprocessors

  // Canonical text: "host/x86_64/avx2/2/<model>". Equal texts, equal fingerprints.
  std::string text() const;
  static StatusOr<Fingerprint> parse(std::string_view text);
  // Same kind, architecture and instruction set: measurements may stand in for each other.
  bool same_architecture(const Fingerprint& other) const;
  bool operator==(const Fingerprint&) const = default;
};

}  // namespace kiln
