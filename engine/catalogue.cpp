#include "engine/catalogue.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "core/key.h"
#include "templates/registry.h"

namespace kiln::engine {
namespace {

constexpr uintmax_t kMaxSourceBytes = 4 << 20;

Status override_sources(const std::string& directory, devices::SourceTree& sources) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (!fs::is_directory(directory, error)) {
    return absl::NotFoundError(
        fmt::format("templates directory {}: no such directory", printable(directory)));
  }
  for (auto entry = fs::recursive_directory_iterator(directory, error);
       !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    if (!entry->is_regular_file(error) || entry->path().extension() != ".h") continue;
    const std::string name = fs::relative(entry->path(), directory, error).generic_string();
    if (entry->file_size(error) > kMaxSourceBytes) {
      return absl::InvalidArgumentError(fmt::format("{}: a kernel source of more than {} MiB",
                                                    printable(entry->path().string()),
                                                    kMaxSourceBytes >> 20));
    }
    std::ifstream file(entry->path(), std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    if (!file) return absl::UnavailableError("cannot read " + printable(entry->path().string()));
    sources.insert_or_assign(name, std::move(text));
  }
  if (error) {
    return absl::ErrnoToStatus(error.value(), "templates directory " + printable(directory));
  }
  return absl::OkStatus();
}

}  // namespace

StatusOr<Catalogue> Catalogue::embedded(const std::string& templates_directory) {
  devices::SourceTree sources = embedded_sources();
  if (!templates_directory.empty()) {
    KILN_RETURN_IF_ERROR(override_sources(templates_directory, sources));
  }
  return Catalogue(kiln::families(), std::move(sources));
}

StatusOr<const Family*> Catalogue::family(std::string_view name) const {
  std::string known;
  for (const Family* family : families_) {
    if (family->name() == name) return family;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", family->name());
  }
  return invalid_field("family", name, known.empty() ? "none is built in" : "one of " + known,
                       absl::StatusCode::kNotFound);
}

const Family& Catalogue::family_of(const Problem& problem) const {
  for (const Family* family : families_) {
    if (&family->schema() == &problem.schema()) return *family;
  }
  std::fprintf(stderr, "problem of a family that this catalogue does not hold: %s\n",
               problem.family().c_str());
  std::abort();
}

StatusOr<Space> Catalogue::space_of(const Problem& problem, const Target& target) const {
  const Family& family = family_of(problem);
  KILN_RETURN_IF_ERROR(family.supports(target));
  return family.space(problem, target);
}

StatusOr<Problem> Catalogue::problem_of(const db::ProblemRef& reference) const {
  KILN_ASSIGN_OR_RETURN(const Family* found, family(reference.family));
  std::vector<std::pair<std::string, std::string>> fields;
  std::istringstream words(reference.text);
  for (std::string word; words >> word;) {
    const size_t equals = word.find('=');
    if (equals == std::string::npos) return invalid_field("problem", word, "field=value");
    fields.emplace_back(word.substr(0, equals), word.substr(equals + 1));
  }
  KILN_ASSIGN_OR_RETURN(Problem problem, Problem::parse(found->schema(), fields));
  KILN_RETURN_IF_ERROR(found->check(problem));
  return problem;
}

db::ProblemRef reference_to(const Problem& problem) {
  std::string text = problem.text(true);  // "family field=value …"; the row has the family apart
  text.erase(0, std::min(text.size(), problem.family().size() + 1));
  return {problem.family(), problem_key(problem), exact_key(problem), statics_key(problem),
          std::move(text)};
}

}  // namespace kiln::engine
