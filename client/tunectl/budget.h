// How long tuning may take, as written on the command line: "20s", "200e", "90%", "20s,200e".

#pragma once

#include <string_view>

#include "core/status.h"
#include "kiln/v1/kiln.pb.h"

namespace kiln::tunectl {

// Time with the unit ms, s, m or h; evaluations with e; a part of the machine's peak with %.
// Several are separated by commas: whichever is reached first ends the search.
StatusOr<v1::Budget> parse_budget(std::string_view text);

// "5s", "500ms": more than zero, at most a day.
StatusOr<google::protobuf::Duration> parse_duration(std::string_view option, std::string_view text);

}  // namespace kiln::tunectl
