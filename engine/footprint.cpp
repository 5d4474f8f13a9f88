#include "engine/footprint.h"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "core/expression.h"

namespace kiln::engine {
namespace {

struct SizedField {
  std::string name;
  int64_t value = 0;
};

SizedField largest_field(const Problem& problem) {
  SizedField largest;
  for (size_t i = 0; i < problem.values().size(); ++i) {
    const Field& field = problem.schema().fields()[i];
    if (field.field_class != FieldClass::kSized) continue;
    const int64_t value = std::get<int64_t>(problem.values()[i]);
    if (largest.name.empty() || value > largest.value) largest = {field.name, value};
  }
  return largest;
}

std::string gibibytes(int64_t bytes) {
  return fmt::format("{:.3g} GiB", double(bytes) / double(1 << 30));
}

}  // namespace

StatusOr<int64_t> buffer_bytes(const Plan& plan, const Problem& problem, int workers) {
  const std::vector<std::string> names = symbol_names(plan);
  const std::vector<int64_t> sizes = problem.sizes();
  if (names.size() != sizes.size()) {
    return absl::FailedPreconditionError("the plan's symbols are not the problem's sized fields");
  }
  int64_t total = 0;
  for (const Buffer& buffer : plan.buffers) {
    int64_t bytes = int64_t(size_of(buffer.dtype));
    if (buffer.kind == Buffer::Kind::kPerWorker) bytes *= workers;
    for (const std::string& axis : buffer.shape) {
      KILN_ASSIGN_OR_RETURN(const Expression expression, Expression::parse(axis, names));
      KILN_ASSIGN_OR_RETURN(const int64_t length, expression.evaluate(sizes));
      if (length < 0 || __builtin_mul_overflow(bytes, length, &bytes)) {
        return absl::OutOfRangeError(fmt::format("buffer {} overflows", buffer.name));
      }
    }
    if (__builtin_add_overflow(total, bytes, &total)) {
      return absl::OutOfRangeError("the sum of all buffers overflows");
    }
  }
  return total;
}

Status check_memory(const Plan& plan, const Problem& problem, const Target& target) {
  const auto bytes = buffer_bytes(plan, problem, target.threads);
  if (bytes.ok() && *bytes <= target.memory_bytes) return absl::OkStatus();
  const SizedField field = largest_field(problem);
  const std::string expected =
      fmt::format("buffers of at most {} in all, this device's memory; they take {}",
                  gibibytes(target.memory_bytes),
                  bytes.ok() ? gibibytes(*bytes) : std::string(bytes.status().message()));
  return invalid_field(field.name, std::to_string(field.value), expected,
                       absl::StatusCode::kResourceExhausted);
}

bool covers(const Plan& plan, const Problem& problem) {
  const std::vector<int64_t> sizes = problem.sizes();
  if (plan.symbols.size() != sizes.size()) return false;
  for (size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] < plan.symbols[i].minimum || sizes[i] > plan.symbols[i].maximum) return false;
  }
  return true;
}

}  // namespace kiln::engine
