// Names for the values of stored configs: stores keep numbers, a space says what they mean.

#pragma once

#include <map>
#include <string>

#include "core/status.h"
#include "kiln/v1/kiln.pb.h"

namespace kiln::tunectl {

class Api;
class Schemas;

class Labels {
 public:
  Labels(Api& api, Schemas& schemas) : api_(api), schemas_(schemas) {}

  // Adds labels where the space of the winner's problem has them; a space that cannot be had leaves
  // the numbers.
  void add_to(v1::Winner& winner);
  void add_to(const v1::Winner& winner, v1::Measurement& measurement);

 private:
  const v1::Space& space_of(const std::string& family, const std::string& problem,
                            const std::string& device);

  Api& api_;
  Schemas& schemas_;
  std::map<std::string, v1::Space> spaces_;  // by family, device and static fields
};

}  // namespace kiln::tunectl
