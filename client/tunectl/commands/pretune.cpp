
#include "absl/strings/str_cat.h"
#include "client/tunectl/commands/commands.h"
#include "client/tunectl/failure.h"
#include "client/tunectl/pretuning.h"
#include "client/tunectl/problem_words.h"
#include "client/tunectl/tune_options.h"
#include "client/tunectl/workload.h"
#include "client/tunectl/workload_problems.h"

namespace kiln::tunectl {
namespace {

struct Options {
  std::string file;
  std::vector<std::string> set;
  std::vector<std::string> where;
  int64_t limit = 0;
  bool skip_invalid = false;
  WorkloadOptions workload;
  TuneOptions tune;
};

StatusOr<std::vector<WorkloadProblem>> read_problems(Session& session, const Options& options) {
  WorkloadOptions selection = options.workload;
  KILN_ASSIGN_OR_RETURN(selection.overrides, parse_assignments(options.set, "--set"));
  for (const std::string& text : options.where) {
    KILN_ASSIGN_OR_RETURN(RowFilter filter, RowFilter::parse(text));
    selection.filters.push_back(std::move(filter));
  }
  KILN_ASSIGN_OR_RETURN(const Workload workload, read_workload(options.file));
  KILN_ASSIGN_OR_RETURN(const auto schemas, session.schemas().all());
  auto problems = workload_problems(workload, schemas, selection);
  if (!problems.ok()) return annotate(problems.status(), options.file);
  const auto limit = static_cast<size_t>(options.limit);
  if (limit > 0 && problems->size() > limit) problems->resize(limit);
  return problems;
}

Status pretune(Session& session, const Options& options) {
  // A wrong budget is told before the file is read.
  KILN_RETURN_IF_ERROR(job_request(v1::Problem(), options.tune).status());
  KILN_ASSIGN_OR_RETURN(std::vector<WorkloadProblem> problems, read_problems(session, options));
  if (problems.empty()) return usage_error("no row of the file is selected");
  Pretuning pretuning(session, options.tune, std::move(problems));
  KILN_RETURN_IF_ERROR(pretuning.check(options.skip_invalid));
  const Status status = pretuning.run();
  pretuning.print();
  return status;
}

}  // namespace

Action declare_pretune(OptionSet& set) {
  auto options = std::make_shared<Options>();
  set.word("file", options->file, "CSV of problems, one a row");
  set.text("--family NAME", options->workload.family,
           "Family of all rows (default: a family column, or the one that the columns fit)");
  declare_tune_options(set, options->tune);
  set.texts("--where CONDITION", options->where,
            "Only rows with COLUMN=VALUE, COLUMN!=VALUE, COLUMN<=N or COLUMN>=N; repeatable");
  set.texts("--set FIELD=VALUE", options->set, "Override FIELD=VALUE in every row; repeatable");
  set.positive("--max-batch N", options->workload.max_batch, "Bound on the field batch");
  set.positive("--limit N", options->limit, "Only so many rows");
  set.flag("--skip-invalid", options->skip_invalid,
           "Leave out rows that the schema does not admit");
  return [options](Session& session) { return pretune(session, *options); };
}

}  // namespace kiln::tunectl
