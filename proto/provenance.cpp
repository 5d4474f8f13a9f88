#include "proto/provenance.h"

#include "absl/strings/str_cat.h"
#include "proto/measurement.h"

namespace kiln::proto {

v1::Provenance to_message(const Provenance& provenance) {
  v1::Provenance message;
  message.set_kind(v1::Provenance::Kind(int(provenance.kind) + 1));
  message.set_provisional(provenance.provisional);
  message.set_stale(provenance.stale);
  message.set_winner_id(provenance.winner_id);
  message.set_tuned_problem(provenance.tuned_problem);
  *message.mutable_measurement() = to_message(provenance.measurement);
  if (provenance.baseline) *message.mutable_baseline() = to_message(*provenance.baseline);
  message.set_job_id(provenance.job_id);
  return message;
}

StatusOr<Provenance> from_message(const v1::Provenance& message) {
  if (message.kind() < v1::Provenance::KIND_TUNED ||
      message.kind() > v1::Provenance::KIND_DEFAULT) {
    return invalid_field("provenance.kind", absl::StrCat(int(message.kind())),
                         "a kind of this version");
  }
  Provenance provenance;
  provenance.kind = Provenance::Kind(message.kind() - 1);
  provenance.provisional = message.provisional();
  provenance.stale = message.stale();
  provenance.winner_id = message.winner_id();
  provenance.tuned_problem = message.tuned_problem();
  if (message.has_measurement()) {
    KILN_ASSIGN_OR_RETURN(provenance.measurement, from_message(message.measurement()));
  }
  if (message.has_baseline()) {
    KILN_ASSIGN_OR_RETURN(provenance.baseline, from_message(message.baseline()));
  }
  provenance.job_id = message.job_id();
  return provenance;
}

}  // namespace kiln::proto
