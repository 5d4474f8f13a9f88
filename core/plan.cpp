#include "core/plan.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace kiln {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kBufferKinds[] = {"input", "output", "temporary", "per_worker"};
constexpr std::string_view kInitials[] = {"none", "zero", "clean_on_exit"};
constexpr std::string_view kArgumentKinds[] = {"tensor", "size", "scalar", "tensor_map"};
constexpr std::string_view kSwizzles[] = {"none", "32B", "64B", "128B"};
constexpr size_t kMaxItems = 4096;  // of any list in a plan

template <class Enum, size_t N>
std::string name_in(const std::string_view (&names)[N], Enum value) {
  return std::string(names[static_cast<size_t>(value)]);
}

Json step_json(const Launch& launch) {
  Json arguments = Json::array();
  for (const Argument& argument : launch.arguments) {
    Json json = {{"kind", name_in(kArgumentKinds, argument.kind)}, {"text", argument.text}};
    if (argument.kind == Argument::Kind::kTensorMap) {
      json["map"] = {{"axes", argument.map.axes},
                     {"box", argument.map.box},
                     {"swizzle", name_in(kSwizzles, argument.map.swizzle)}};
    }
    arguments.push_back(std::move(json));
  }
  return {{"step", "launch"},          {"entry", launch.entry},
          {"grid", launch.grid},       {"arguments", std::move(arguments)},
          {"reads", launch.reads},     {"writes", launch.writes},
          {"lane", launch.lane},       {"block", launch.block},
          {"cluster", launch.cluster}, {"scratchpad_bytes", launch.scratchpad_bytes}};
}

Json step_json(const Fill& fill) {
  return {{"step", "fill"}, {"buffer", fill.buffer}, {"byte", fill.byte}};
}

Json step_json(const Read& read) {
  return {
      {"step", "read"}, {"buffer", read.buffer}, {"index", read.index}, {"symbol", read.symbol}};
}

Json step_json(const Scan& scan) {
  return {{"step", "scan"}, {"buffer", scan.buffer}};
}

// Reads members of JSON objects; the first fault is kept with its place, later reads give defaults.
class Reader {
 public:
  const Status& status() const { return status_; }

  std::string text(const Json& object, const char* name, const std::string& place) {
    const Json* member = find(object, name, place);
    if (member == nullptr) return {};
    if (!member->is_string()) {
      fail(place, name, "text");
      return {};
    }
    return member->get<std::string>();
  }

  int64_t integer(const Json& object, const char* name, const std::string& place, int64_t minimum,
                  int64_t maximum) {
    const Json* member = find(object, name, place);
    return member == nullptr ? minimum : checked(*member, place, name, minimum, maximum);
  }

  bool boolean(const Json& object, const char* name, const std::string& place) {
    const Json* member = find(object, name, place);
    if (member == nullptr) return false;
    if (!member->is_boolean()) fail(place, name, "true or false");
    return member->is_boolean() && member->get<bool>();
  }

  template <class Enum, size_t N>
  Enum choice(const Json& object, const char* name, const std::string& place,
              const std::string_view (&names)[N]) {
    const std::string given = text(object, name, place);
    for (size_t i = 0; i < N; ++i) {
      if (names[i] == given) return static_cast<Enum>(i);
    }
    fail(place, name, fmt::format("a known kind, not \"{}\"", printable(given)));
    return Enum{};
  }

  // Calls `read(member, place)` for a member that is an object of its own.
  template <class Function>
  void member(const Json& object, const char* name, const std::string& place, Function read) {
    const Json* member = find(object, name, place);
    if (member != nullptr) read(*member, fmt::format("{}{}.", place, name));
  }

  // Calls `read(element, place)` for each element of a list.
  template <class Function>
  void list(const Json& object, const char* name, const std::string& place, Function read) {
    const Json* member = find(object, name, place);
    if (member == nullptr) return;
    if (!member->is_array() || member->size() > kMaxItems) {
      return fail(place, name, "a list of at most 4096 elements");
    }
    for (size_t i = 0; i < member->size(); ++i) {
      read((*member)[i], fmt::format("{}{}[{}].", place, name, i));
    }
  }

  std::vector<std::string> texts(const Json& object, const char* name, const std::string& place) {
    std::vector<std::string> texts;
    list(object, name, place, [&](const Json& element, const std::string& where) {
      if (!element.is_string()) return fail(where, "", "text");
      texts.push_back(element.get<std::string>());
    });
    return texts;
  }

  std::vector<int> integers(const Json& object, const char* name, const std::string& place,
                            int64_t minimum, int64_t maximum) {
    std::vector<int> numbers;
    list(object, name, place, [&](const Json& element, const std::string& where) {
      numbers.push_back(static_cast<int>(checked(element, where, "", minimum, maximum)));
    });
    return numbers;
  }

  template <class T, class U>
  void fixed(std::array<T, 3>& target, const std::vector<U>& source, const char* name,
             const std::string& place) {
    if (source.size() != 3) return fail(place, name, "three elements");
    std::copy(source.begin(), source.end(), target.begin());
  }

  void fail(const std::string& place, const char* name, std::string_view expected) {
    if (status_.ok()) {
      status_ =
          absl::InvalidArgumentError(fmt::format("plan: {}{}: expected {}", place, name, expected));
    }
  }

 private:
  const Json* find(const Json& object, const char* name, const std::string& place) {
    if (!object.is_object()) {
      fail(place, name, "an object around it");
      return nullptr;
    }
    const auto member = object.find(name);
    if (member == object.end()) {
      fail(place, name, "a value (missing)");
      return nullptr;
    }
    return &*member;
  }

  int64_t checked(const Json& value, const std::string& place, const char* name, int64_t minimum,
                  int64_t maximum) {
    const bool fits = value.is_number_integer() &&
                      !(value.is_number_unsigned() && value.get<uint64_t>() > INT64_MAX) &&
                      value.get<int64_t>() >= minimum && value.get<int64_t>() <= maximum;
    if (!fits) {
      fail(place, name, fmt::format("an integer between {} and {}", minimum, maximum));
      return minimum;
    }
    return value.get<int64_t>();
  }

  Status status_;
};

Buffer read_buffer(Reader& reader, const Json& json, const std::string& place) {
  Buffer buffer;
  buffer.name = reader.text(json, "name", place);
  if (const auto dtype = parse_dtype(reader.text(json, "dtype", place))) {
    buffer.dtype = *dtype;
  } else {
    reader.fail(place, "dtype", "a known element type");
  }
  buffer.shape = reader.texts(json, "shape", place);
  buffer.order = reader.integers(json, "order", place, 0, 63);
  buffer.kind = reader.choice<Buffer::Kind>(json, "kind", place, kBufferKinds);
  buffer.initial = reader.choice<Buffer::Initial>(json, "initial", place, kInitials);
  buffer.optional = reader.boolean(json, "optional", place);
  buffer.unit_stride_axis =
      static_cast<int>(reader.integer(json, "unit_stride_axis", place, -1, 63));
  buffer.alignment = reader.integer(json, "alignment", place, 1, 1 << 20);
  return buffer;
}

Launch read_launch(Reader& reader, const Json& json, const std::string& place) {
  Launch launch;
  launch.entry = reader.text(json, "entry", place);
  reader.fixed(launch.grid, reader.texts(json, "grid", place), "grid", place);
  reader.list(json, "arguments", place, [&](const Json& element, const std::string& where) {
    Argument argument;
    argument.kind = reader.choice<Argument::Kind>(element, "kind", where, kArgumentKinds);
    argument.text = reader.text(element, "text", where);
    if (argument.kind == Argument::Kind::kTensorMap) {
      reader.member(element, "map", where, [&](const Json& map, const std::string& at) {
        argument.map.axes = reader.integers(map, "axes", at, 0, 63);
        argument.map.box = reader.integers(map, "box", at, 1, INT32_MAX);
        argument.map.swizzle = reader.choice<TensorMap::Swizzle>(map, "swizzle", at, kSwizzles);
      });
    }
    launch.arguments.push_back(std::move(argument));
  });
  launch.reads = reader.texts(json, "reads", place);
  launch.writes = reader.texts(json, "writes", place);
  launch.lane = static_cast<int>(reader.integer(json, "lane", place, 0, 1023));
  reader.fixed(launch.block, reader.integers(json, "block", place, 1, 1024), "block", place);
  reader.fixed(launch.cluster, reader.integers(json, "cluster", place, 1, 64), "cluster", place);
  launch.scratchpad_bytes = reader.text(json, "scratchpad_bytes", place);
  return launch;
}

Step read_step(Reader& reader, const Json& json, const std::string& place) {
  const std::string kind = reader.text(json, "step", place);
  if (kind == "launch") return read_launch(reader, json, place);
  if (kind == "fill") {
    return Fill{reader.text(json, "buffer", place),
                static_cast<uint8_t>(reader.integer(json, "byte", place, 0, 255))};
  }
  if (kind == "read") {
    return Read{reader.text(json, "buffer", place), reader.text(json, "index", place),
                reader.text(json, "symbol", place)};
  }
  if (kind == "scan") return Scan{reader.text(json, "buffer", place)};
  reader.fail(place, "step", "launch, fill, read or scan");
  return Fill{};
}

}  // namespace

std::vector<std::string> symbol_names(const Plan& plan) {
  std::vector<std::string> names;
  for (const Symbol& symbol : plan.symbols)
    names.push_back(symbol.name);
  return names;
}

std::string_view name_of(Buffer::Kind kind) {
  return kBufferKinds[static_cast<size_t>(kind)];
}

std::string_view name_of(TensorMap::Swizzle swizzle) {
  return kSwizzles[static_cast<size_t>(swizzle)];
}

std::string to_json(const Plan& plan) {
  Json symbols = Json::array();
  for (const Symbol& symbol : plan.symbols) {
    symbols.push_back(
        {{"name", symbol.name}, {"minimum", symbol.minimum}, {"maximum", symbol.maximum}});
  }
  Json buffers = Json::array();
  for (const Buffer& buffer : plan.buffers) {
    buffers.push_back({{"name", buffer.name},
                       {"dtype", std::string(name_of(buffer.dtype))},
                       {"shape", buffer.shape},
                       {"order", buffer.order},
                       {"kind", std::string(name_of(buffer.kind))},
                       {"initial", name_in(kInitials, buffer.initial)},
                       {"optional", buffer.optional},
                       {"unit_stride_axis", buffer.unit_stride_axis},
                       {"alignment", buffer.alignment}});
  }
  Json steps = Json::array();
  for (const Step& step : plan.steps) {
    steps.push_back(std::visit([](const auto& s) { return step_json(s); }, step));
  }
  const Json json = {{"version", plan.version},
                     {"symbols", std::move(symbols)},
                     {"scalars", plan.scalars},
                     {"buffers", std::move(buffers)},
                     {"steps", std::move(steps)}};
  return json.dump();
}

StatusOr<Plan> plan_from_json(std::string_view text) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return absl::InvalidArgumentError("plan: expected JSON");
  Reader reader;
  Plan plan;
  plan.version = static_cast<int>(reader.integer(json, "version", "", 1, INT32_MAX));
  if (reader.status().ok() && plan.version != kPlanVersion) {
    return absl::InvalidArgumentError(
        fmt::format("plan: version {}: expected {}", plan.version, kPlanVersion));
  }
  reader.list(json, "symbols", "", [&](const Json& element, const std::string& place) {
    plan.symbols.push_back({reader.text(element, "name", place),
                            reader.integer(element, "minimum", place, INT64_MIN, INT64_MAX),
                            reader.integer(element, "maximum", place, INT64_MIN, INT64_MAX)});
  });
  plan.scalars = reader.texts(json, "scalars", "");
  reader.list(json, "buffers", "", [&](const Json& element, const std::string& place) {
    plan.buffers.push_back(read_buffer(reader, element, place));
  });
  reader.list(json, "steps", "", [&](const Json& element, const std::string& place) {
    plan.steps.push_back(read_step(reader, element, place));
  });
  if (!reader.status().ok()) return reader.status();
  return plan;
}

}  // namespace kiln
