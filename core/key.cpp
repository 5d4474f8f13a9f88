#include "core/key.h"

#include <xxhash.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace kiln {
namespace {

constexpr char kEncodingVersion = 1;

void append_integer(std::string& out, uint64_t value) {
  for (int shift = 0; shift < 64; shift += 8)
    out += static_cast<char>(value >> shift);
}

void append_text(std::string& out, std::string_view text) {
  append_integer(out, text.size());
  out += text;
}

void append_value(std::string& out, const Value& value) {
  out += static_cast<char>(value.index());
  if (const auto* integer = std::get_if<int64_t>(&value)) {
    append_integer(out, static_cast<uint64_t>(*integer));
  } else if (const auto* real = std::get_if<double>(&value)) {
    append_integer(out, std::bit_cast<uint64_t>(*real));
  } else if (const auto* boolean = std::get_if<bool>(&value)) {
    out += static_cast<char>(*boolean);
  } else {
    append_text(out, std::get<std::string>(value));
  }
}

enum class Detail { kBuckets, kExact, kStatics };

std::string encode(const Problem& problem, Detail detail) {
  const Schema& schema = problem.schema();
  std::string out(1, kEncodingVersion);
  out += static_cast<char>(detail);
  append_text(out, schema.family());
  append_integer(out, static_cast<uint64_t>(schema.version()));
  for (size_t i = 0; i < schema.fields().size(); ++i) {
    const Field& field = schema.fields()[i];
    if (field.field_class == FieldClass::kScalar && detail != Detail::kExact) continue;
    if (field.field_class == FieldClass::kSized && detail == Detail::kStatics) continue;
    Value value = problem.values()[i];
    if (field.field_class == FieldClass::kSized && detail == Detail::kBuckets) {
      value = field.bucketing.bucket(std::get<int64_t>(value));
    }
    out += static_cast<char>(field.field_class);
    append_value(out, value);
  }
  return out;
}

}  // namespace

std::string problem_key(const Problem& problem) {
  return encode(problem, Detail::kBuckets);
}
std::string exact_key(const Problem& problem) {
  return encode(problem, Detail::kExact);
}
std::string statics_key(const Problem& problem) {
  return encode(problem, Detail::kStatics);
}

double distance(const Problem& a, const Problem& b, double max_ratio) {
  constexpr double kFar = std::numeric_limits<double>::infinity();
  if (&a.schema() != &b.schema()) return kFar;
  double sum = 0;
  for (size_t i = 0; i < a.values().size(); ++i) {
    const Value& u = a.values()[i];
    const Value& v = b.values()[i];
    switch (a.schema().fields()[i].field_class) {
      case FieldClass::kScalar:
        continue;
      case FieldClass::kStatic:
        if (u != v) return kFar;
        continue;
      case FieldClass::kSized:
        break;
    }
    const int64_t x = std::get<int64_t>(u);
    const int64_t y = std::get<int64_t>(v);
    if (x == y) continue;
    if (x <= 0 || y <= 0) return kFar;
    const double octaves =
        std::fabs(std::log2(static_cast<double>(x)) - std::log2(static_cast<double>(y)));
    if (octaves > std::log2(max_ratio) + 1e-12) return kFar;
    sum += octaves;
  }
  return sum;
}

std::string digest(std::string_view bytes) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes.data(), bytes.size()));
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(2 * sizeof canonical.digest);
  for (const unsigned char byte : canonical.digest) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

}  // namespace kiln
