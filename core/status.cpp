#include "core/status.h"

#include <fmt/format.h>

#include "absl/strings/cord.h"
#include "absl/strings/str_split.h"

namespace kiln {
namespace {

constexpr char kFieldViolationUrl[] = "kiln/field_violation";
constexpr char kSeparator = '\x1f';  // printable() leaves no control character in the parts

}  // namespace

std::string printable(std::string_view text, size_t max_length) {
  std::string out;
  for (char c : text) {
    if (out.size() >= max_length) return out + "...";
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out;
}

Status invalid_field(std::string_view field, std::string_view value, std::string_view expected,
                     absl::StatusCode code) {
  const std::string safe_field = printable(field);
  const std::string safe_value = printable(value);
  Status status(code, fmt::format("{} = {}: expected {}", safe_field,
                                  safe_value.empty() ? "\"\"" : safe_value, expected));
  status.SetPayload(kFieldViolationUrl, absl::Cord(fmt::format("{}{}{}{}{}", safe_field, kSeparator,
                                                               safe_value, kSeparator, expected)));
  return status;
}

std::optional<FieldViolation> field_violation(const Status& status) {
  const auto payload = status.GetPayload(kFieldViolationUrl);
  if (!payload) return std::nullopt;
  const std::vector<std::string> parts = absl::StrSplit(std::string(*payload), kSeparator);
  if (parts.size() != 3) return std::nullopt;
  return FieldViolation{parts[0], parts[1], parts[2]};
}

Status annotate(const Status& status, std::string_view context) {
  if (status.ok()) return status;
  Status annotated(status.code(), fmt::format("{}: {}", context, std::string(status.message())));
  status.ForEachPayload([&](absl::string_view url, const absl::Cord& payload) {
    annotated.SetPayload(url, payload);
  });
  return annotated;
}

}  // namespace kiln
