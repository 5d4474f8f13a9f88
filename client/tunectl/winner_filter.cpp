#include "client/tunectl/winner_filter.h"

#include "client/tunectl/failure.h"
#include "client/tunectl/option_set.h"
#include "client/tunectl/problem_words.h"
#include "client/tunectl/winner_text.h"

namespace kiln::tunectl {

void declare_winner_filter(OptionSet& set, WinnerFilterOptions& options) {
  set.words("problem", options.words, OptionSet::Need::kOptional,
            "Only winners that can serve this problem: FAMILY field=value …, or a family");
  set.text("--family NAME", options.family, "Only this family's");
  set.text("--device NAME", options.device, "Only this device's, by name or fingerprint");
}

StatusOr<v1::WinnerFilter> winner_filter(Session& session, const WinnerFilterOptions& options) {
  v1::WinnerFilter filter;
  filter.set_family(options.family);
  if (!options.words.empty()) {
    KILN_ASSIGN_OR_RETURN(const v1::Problem problem, parse_problem(options.words));
    if (!options.family.empty() && options.family != problem.family()) {
      return usage_error("--family names another family than the problem");
    }
    filter.set_family(problem.family());
    if (problem.fields_size() > 0) *filter.mutable_problem() = problem;
  }
  KILN_ASSIGN_OR_RETURN(*filter.mutable_fingerprint(), fingerprint_of(session, options.device));
  return filter;
}

}  // namespace kiln::tunectl
