#include "devices/compile/compiled_kernels.h"

#include <fmt/format.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "core/key.h"
#include "devices/compile/cache_directory.h"

namespace kiln::devices {
namespace {

using nlohmann::json;

json to_json(const ResourceUse& use) {
  json entry = {{"entry", use.entry},
                {"registers", use.registers},
                {"scalar_registers", use.scalar_registers},
                {"spill_bytes", use.spill_bytes},
                {"stack_bytes", use.stack_bytes},
                {"scratchpad_bytes", use.scratchpad_bytes}};
  if (use.instructions) entry["instructions"] = *use.instructions;
  if (use.matrix_instructions) entry["matrix_instructions"] = *use.matrix_instructions;
  if (use.warpgroup_instructions) entry["warpgroup_instructions"] = *use.warpgroup_instructions;
  return entry;
}

ResourceUse resource_use(const json& entry) {
  ResourceUse use;
  use.entry = entry.at("entry").get<std::string>();
  use.registers = entry.at("registers").get<int>();
  use.scalar_registers = entry.at("scalar_registers").get<int>();
  use.spill_bytes = entry.at("spill_bytes").get<int64_t>();
  use.stack_bytes = entry.at("stack_bytes").get<int64_t>();
  use.scratchpad_bytes = entry.at("scratchpad_bytes").get<int64_t>();
  if (entry.contains("instructions")) use.instructions = entry["instructions"].get<int64_t>();
  if (entry.contains("matrix_instructions")) {
    use.matrix_instructions = entry["matrix_instructions"].get<int64_t>();
  }
  if (entry.contains("warpgroup_instructions")) {
    use.warpgroup_instructions = entry["warpgroup_instructions"].get<int64_t>();
  }
  return use;
}

std::string path_of(const std::string& folder, const std::string& identity) {
  return fmt::format("{}/{}", folder, identity);
}

}  // namespace

std::string compiled_kernels_in(std::string_view cache_directory) {
  return fmt::format("{}/compiled", cache_directory);
}

Status keep_compiled(const std::string& folder, const Compilation& compilation) {
  const Artifact& artifact = compilation.artifact;
  json head = {{"code_identity", artifact.code_identity}, {"hash", artifact.hash},
               {"target_kind", artifact.target_kind},     {"architecture", artifact.architecture},
               {"toolchain", artifact.toolchain},         {"entries", json::array()}};
  for (const ResourceUse& use : compilation.entries)
    head["entries"].push_back(to_json(use));
  return write_file(path_of(folder, artifact.code_identity), head.dump() + "\n" + artifact.bytes);
}

std::optional<Compilation> find_compiled(const std::string& folder, const std::string& identity) {
  const std::string path = path_of(folder, identity);
  if (access(path.c_str(), R_OK) != 0) return std::nullopt;
  const auto content = read_file(path);
  if (!content.ok()) return std::nullopt;
  const size_t line = content->find('\n');
  const json head = json::parse(content->substr(0, line), nullptr, /*allow_exceptions=*/false);
  if (line == std::string::npos || !head.is_object()) return std::nullopt;
  try {
    Compilation found;
    Artifact& artifact = found.artifact;
    artifact.bytes = content->substr(line + 1);
    artifact.hash = head.at("hash").get<std::string>();
    artifact.target_kind = head.at("target_kind").get<std::string>();
    artifact.architecture = head.at("architecture").get<std::string>();
    artifact.code_identity = head.at("code_identity").get<std::string>();
    artifact.toolchain = head.at("toolchain").get<std::string>();
    for (const json& entry : head.at("entries"))
      found.entries.push_back(resource_use(entry));
    if (artifact.code_identity != identity || digest(artifact.bytes) != artifact.hash) {
      return std::nullopt;
    }
    return found;
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

}  // namespace kiln::devices
