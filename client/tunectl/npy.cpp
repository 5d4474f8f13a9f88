#include "client/tunectl/npy.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace kiln::tunectl {

std::string_view npy_type(Dtype dtype) {
  switch (dtype) {
    case Dtype::kF32:
      return "<f4";
    case Dtype::kF16:
      return "<f2";
    case Dtype::kBF16:
      return "<u2";
    case Dtype::kF64:
      return "<f8";
    case Dtype::kI32:
      return "<i4";
    case Dtype::kI64:
      return "<i8";
  }
  return "";
}

std::string npy_file(std::string_view type, std::span<const int64_t> shape,
                     std::string_view bytes) {
  constexpr std::string_view kMagic = "\x93NUMPY\x01";
  constexpr size_t kAlignment = 64;
  std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}{}), }}",
                                   type, fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
  const size_t prefix = kMagic.size() + 1 + 2;  // minor version, length of the header
  const size_t unpadded = prefix + header.size() + 1;
  header.append((kAlignment - unpadded % kAlignment) % kAlignment, ' ');
  header += '\n';

  std::string file(kMagic);
  file += '\0';
  file += char(header.size() & 0xff);
  file += char(header.size() >> 8);
  file += header;
  file += bytes;
  return file;
}

}  // namespace kiln::tunectl
