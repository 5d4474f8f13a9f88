// Problems as text, "field=value field=value …", for every family: refused, or read so that text,
// keys, cost and space can be had.

#include <string>
#include <utility>
#include <vector>

#include "core/family.h"
#include "core/key.h"
#include "core/problem.h"
#include "core/target.h"
#include "templates/registry.h"
#include "tests/fuzz/fuzz.h"

namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

Fields split(std::string_view text) {
  Fields fields;
  while (!text.empty()) {
    const size_t space = text.find(' ');
    const std::string_view word = text.substr(0, space);
    text = space == std::string_view::npos ? std::string_view() : text.substr(space + 1);
    const size_t equals = word.find('=');
    fields.emplace_back(word.substr(0, equals), equals == std::string_view::npos
                                                    ? std::string_view()
                                                    : word.substr(equals + 1));
  }
  return fields;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Fields fields = split(kiln::fuzz::text(data, size));
  for (const kiln::Family* family : kiln::families()) {
    const auto problem = kiln::Problem::parse(family->schema(), fields);
    if (!problem.ok()) continue;
    // "family field=value …": without the family it reads as the same problem.
    const std::string text = problem->text(true);
    const auto again =
        kiln::Problem::parse(family->schema(), split(text.substr(text.find(' ') + 1)));
    kiln::fuzz::require(again.ok() && *again == *problem, "a problem survives its text");
    kiln::fuzz::require(kiln::exact_key(*again) == kiln::exact_key(*problem), "equal keys");
    (void)kiln::problem_key(*problem);
    if (!family->check(*problem).ok()) continue;
    const kiln::Target target = {.kind = "host", .architecture = "avx2", .vector_lanes = 8};
    const auto space = family->space(*problem, target);
    const auto config = family->default_config(*problem, target);
    kiln::fuzz::require(space.check(config).ok(), "the default config lies in the space");
    (void)family->cost(*problem);
    (void)family->plan(*problem, config, target);
    (void)family->source(*problem, config, target);
  }
  return 0;
}
