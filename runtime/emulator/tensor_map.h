// Tensor maps as the emulator's bulk copies take them, and where an element of a box lands.

#pragma once

#include <cstdint>

#include "runtime/emulator/abi.h"
#include "runtime/tensor_map.h"

namespace kiln::runtime::emulator {

// Writes kKilnMapWords words.
void encode(const MappedTensor& mapped, KilnU64* words);

// Of a box, zeros for what lies beyond the tensor included.
uint32_t box_bytes(const KilnEmulatorTensorMap& map);

// Where byte `offset` of a box (its first dimension fastest, without gaps) lies in scratchpad when
// the box lies at `to`. Source: PTX ISA, "Tensor swizzling modes".
uint32_t box_byte(const KilnEmulatorTensorMap& map, uint32_t to, uint32_t offset);

}  // namespace kiln::runtime::emulator
