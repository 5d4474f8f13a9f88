// The families that an engine serves, their kernels' sources, and problems by name.
//
// Immutable after construction, thread-safe.

#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/family.h"
#include "core/problem.h"
#include "core/status.h"
#include "db/store.h"
#include "devices/device.h"

namespace kiln::engine {

class Catalogue {
 public:
  Catalogue(std::vector<const Family*> families, devices::SourceTree sources)
      : families_(std::move(families)), sources_(std::move(sources)) {}

  // Every family of this build with its embedded sources. Headers below `templates_directory`, if
  // given, take the place of embedded ones or stand beside them; NOT_FOUND when there is no such
  // directory.
  static StatusOr<Catalogue> embedded(const std::string& templates_directory);

  const std::vector<const Family*>& families() const { return families_; }
  const devices::SourceTree& sources() const { return sources_; }
  StatusOr<const Family*> family(std::string_view name) const;  // NOT_FOUND names those known
  // The family of a problem; the problem was made by it.
  const Family& family_of(const Problem& problem) const;

  // FAILED_PRECONDITION where the family has no kernels for the target.
  StatusOr<Space> space_of(const Problem& problem, const Target& target) const;

  // The problem that a row is about; INVALID_ARGUMENT when today's schema does not admit it.
  StatusOr<Problem> problem_of(const db::ProblemRef& reference) const;

 private:
  std::vector<const Family*> families_;
  devices::SourceTree sources_;
};

// What the store keeps of a problem.
db::ProblemRef reference_to(const Problem& problem);

}  // namespace kiln::engine
