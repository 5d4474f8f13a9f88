// The families' schemas as the service publishes them, fetched when first needed.

#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/schema.h"
#include "core/status.h"

namespace kiln::tunectl {

class Api;

class Schemas {
 public:
  explicit Schemas(Api& api) : api_(api) {}

  // The pointer lives as long as this object.
  StatusOr<const Schema*> get(const std::string& family);
  StatusOr<std::vector<const Schema*>> all();

  // The static fields of a problem's text ("head_dim=128 causal=true …").
  std::string static_text(const std::string& family, const std::string& problem);

  // A problem's text as the service writes it ("batch=1 heads_q=32 …", all fields) without the
  // fields that have their default; unchanged when the schema cannot be had.
  std::string short_text(const std::string& family, const std::string& problem);

 private:
  // The tokens "name=value" that `keeps` admits; the field is null for a name that is none.
  std::string filtered_text(
      const std::string& family, const std::string& problem,
      const std::function<bool(const Field* field, const std::string& value)>& keeps);

  Api& api_;
  std::map<std::string, std::unique_ptr<const Schema>> schemas_;
};

}  // namespace kiln::tunectl
