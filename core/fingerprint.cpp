#include "core/fingerprint.h"

#include <fmt/format.h>

#include <charconv>
#include <vector>

#include "absl/strings/str_split.h"

namespace kiln {

std::string Fingerprint::text() const {
  return fmt::format("{}/{}/{}/{}/{}", kind, architecture, instruction_set, units, model);
}

StatusOr<Fingerprint> Fingerprint::parse(std::string_view text) {
  const std::vector<std::string> parts = absl::StrSplit(std::string(text), absl::MaxSplits('/', 4));
  const auto refuse = [&] {
    return invalid_field("fingerprint", text, "kind/architecture/instruction set/units/model");
  };
  if (parts.size() != 5) return refuse();
  Fingerprint fingerprint{parts[0], parts[4], parts[1], parts[2], 0};
  const std::string& units = parts[3];
  const auto [end, error] =
      std::from_chars(units.data(), units.data() + units.size(), fingerprint.units);
  if (error != std::errc() || end != units.data() + units.size() || fingerprint.units < 1) {
    return refuse();
  }
  return fingerprint;
}

bool Fingerprint::same_architecture(const Fingerprint& other) const {
  return kind == other.kind && architecture == other.architecture &&
         instruction_set == other.instruction_set;
}

}  // namespace kiln
