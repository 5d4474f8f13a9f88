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

const v1::Space& Labels::space_of(const std::string& family, const std::string& problem,
                                  const std::string& device) {
  const std::string statics = schemas_.static_text(family, problem);
  const auto [entry, added] =
      spaces_.try_emplace(fmt::format("{}\n{}\n{}", family, device, statics));
  if (!added) return entry->second;
  const auto parsed = parse_problem({family, schemas_.short_text(family, problem)});
  if (!parsed.ok()) return entry->second;
  v1::DescribeFamilyRequest request;
  request.set_family(family);
  *request.mutable_problem() = *parsed;
  request.set_device(device);
  auto response = api_.describe_family(request);
  if (response.ok()) entry->second = std::move(*response->mutable_space());
  return entry->second;
}

void Labels::add_to(const v1::Winner& winner, v1::Measurement& measurement) {
  label(space_of(winner.family(), winner.problem(), winner.fingerprint()),
        *measurement.mutable_config());
}

void Labels::add_to(v1::Winner& winner) {
  add_to(winner, *winner.mutable_measurement());
  if (winner.has_baseline()) add_to(winner, *winner.mutable_baseline());
}

}  // namespace kiln::tunectl
