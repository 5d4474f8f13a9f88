#include "client/tunectl/local_problem.h"

#include "client/tunectl/problem_words.h"

namespace kiln::tunectl {

StatusOr<LocalProblem> resolve_problem(const engine::Catalogue& catalogue,
                                       const std::vector<std::string>& words) {
  KILN_ASSIGN_OR_RETURN(const v1::Problem message, parse_problem(words));
  KILN_ASSIGN_OR_RETURN(const Family* family, catalogue.family(message.family()));
  std::vector<std::pair<std::string, std::string>> fields;
  for (const v1::ProblemField& field : message.fields())
    fields.emplace_back(field.name(), field.value().choice());
  KILN_ASSIGN_OR_RETURN(Problem problem, Problem::parse(family->schema(), fields));
  KILN_RETURN_IF_ERROR(family->check(problem));
  return LocalProblem{family, std::move(problem)};
}

}  // namespace kiln::tunectl
