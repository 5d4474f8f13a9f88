// Messages as JSON for scripts: `--output json` prints one document of these.
//
// Fields carry their proto names and are always present (absent messages are null). 64-bit integers
// are numbers, enumerators lose their prefix ("succeeded"), times are RFC 3339 text, durations
// seconds, a Value is its bare value, a Config an object of parameter → label or value, bytes are
// base64.

#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace google::protobuf {
class Message;
}

namespace kiln::tunectl {

using Json = nlohmann::ordered_json;

Json to_json(const google::protobuf::Message& message);

// Indented, with strings that are not UTF-8 repaired; ends with a line end.
std::string json_text(const Json& document);

}  // namespace kiln::tunectl
