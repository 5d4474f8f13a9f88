#include "client/tunectl/labels.h"

#include <fmt/format.h>

#include "client/tunectl/api.h"
#include "client/tunectl/problem_words.h"
#include "client/tunectl/schemas.h"

namespace kiln::tunectl {
namespace {

void label(const v1::Space& space, v1::Config& config) {
  for (auto& entry : *config.mutable_entries()) {
    for (const auto& parameter : space.parameters()) {
      if (parameter.name() != entry.parameter()) continue;
      for (int i = 0; i < parameter.labels_size() && i < parameter.values_size(); ++i) {
        if (parameter.values(i) == entry.value()) entry.set_label(parameter.labels(i));
      }
    }
  }
}

}  // namespace

const v1::Space& Labels::space_of(const v1::Winner& winner) {
  const std::string statics = schemas_.static_text(winner.family(), winner.problem());
  const std::string key = fmt::format("{}\n{}\n{}", winner.family(), winner.fingerprint(), statics);
  const auto [entry, added] = spaces_.try_emplace(key);
  if (!added) return entry->second;
  const auto problem =
      parse_problem({winner.family(), schemas_.short_text(winner.family(), winner.problem())});
  if (!problem.ok()) return entry->second;
  v1::DescribeFamilyRequest request;
  request.set_family(winner.family());
  *request.mutable_problem() = *problem;
  request.set_device(winner.fingerprint());
  auto response = api_.describe_family(request);
  if (response.ok()) entry->second = std::move(*response->mutable_space());
  return entry->second;
}

void Labels::add_to(v1::Winner& winner) {
  const v1::Space& space = space_of(winner);
  label(space, *winner.mutable_measurement()->mutable_config());
  if (winner.has_baseline()) label(space, *winner.mutable_baseline()->mutable_config());
}

void Labels::add_to(const v1::Winner& winner, v1::Measurement& measurement) {
  label(space_of(winner), *measurement.mutable_config());
}

}  // namespace kiln::tunectl
