#include "core/family.h"

#include <cstdio>
#include <cstdlib>

namespace kiln {

const HostTensor& find_tensor(std::span<const HostTensor> tensors, std::string_view name) {
  for (const HostTensor& tensor : tensors) {
    if (tensor.name == name) return tensor;
  }
  std::fprintf(stderr, "no tensor is named %.*s\n", int(name.size()), name.data());
  std::abort();
}

}  // namespace kiln
