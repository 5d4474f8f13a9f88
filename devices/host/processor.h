// What this machine's processor is, as fingerprints and targets describe it.

#pragma once

#include <cstdint>
#include <string>

#include "core/fingerprint.h"
#include "core/target.h"
#include "runtime/host/instruction_set.h"

namespace kiln::devices {

// "AMD EPYC-Milan Processor (family 25 model 1)", from the processor itself.
std::string processor_model();

// In bytes; 0 where the machine does not say.
struct Caches {
  int64_t l1_data = 0;
  int64_t l2 = 0;    // of one core
  int64_t last = 0;  // last level: all of those that the usable processors reach, added up
};
// From the operating system, else from the processor. `root` stands before the paths read.
Caches processor_caches(const std::string& root = "");

// Half of what the machine, or this process's control group, has: the rest is for everybody else.
int64_t memory_for_problems();

Fingerprint host_fingerprint(runtime::InstructionSet set);
Target host_target(runtime::InstructionSet set);

}  // namespace kiln::devices
