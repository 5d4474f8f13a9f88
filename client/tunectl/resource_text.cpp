#include "client/tunectl/resource_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "client/tunectl/units.h"

namespace kiln::tunectl {
namespace {

using tuner::EntryResources;

std::string optional_count(const std::optional<int64_t>& count) {
  return count ? count_text(*count) : "unknown";
}

std::string occupancy_text(const EntryResources& entry) {
  if (!entry.occupancy) return "cannot be launched";
  return fmt::format("{} ({}, by {})", percent_text(entry.occupancy->fraction),
                     counted_text(entry.occupancy->blocks, "block"), entry.occupancy->limit);
}

}  // namespace

Table resource_table(const tuner::Resources& resources) {
  Table table({{"entry"},
               {"threads", Align::kRight},
               {"registers", Align::kRight},
               {"spilled", Align::kRight},
               {"stack", Align::kRight},
               {"scratchpad", Align::kRight},
               {"occupancy"},
               {"instructions", Align::kRight},
               {"matrix", Align::kRight}});
  for (const EntryResources& entry : resources.entries) {
    const devices::ResourceUse& use = entry.use;
    table.add({{use.entry, Style::kBold},
               {count_text(entry.threads)},
               {count_text(use.registers)},
               {bytes_text(double(use.spill_bytes)), use.spill_bytes ? Style::kBad : Style::kPlain},
               {bytes_text(double(use.stack_bytes))},
               {bytes_text(double(entry.scratchpad_bytes))},
               {occupancy_text(entry)},
               {optional_count(use.instructions)},
               {optional_count(use.matrix_instructions)}});
  }
  return table;
}

Json to_json(const tuner::Resources& resources) {
  auto optional = [](const std::optional<int64_t>& count) { return count ? Json(*count) : Json(); };
  Json entries = Json::array();
  for (const EntryResources& entry : resources.entries) {
    Json json = {{"entry", entry.use.entry},
                 {"threads", entry.threads},
                 {"registers", entry.use.registers},
                 {"scalar_registers", entry.use.scalar_registers},
                 {"spill_bytes", entry.use.spill_bytes},
                 {"stack_bytes", entry.use.stack_bytes},
                 {"scratchpad_bytes", entry.scratchpad_bytes},
                 {"instructions", optional(entry.use.instructions)},
                 {"matrix_instructions", optional(entry.use.matrix_instructions)},
                 {"occupancy", Json()}};
    if (entry.occupancy) {
      json["occupancy"] = {{"fraction", entry.occupancy->fraction},
                           {"blocks", entry.occupancy->blocks},
                           {"limit", std::string(entry.occupancy->limit)}};
    }
    entries.push_back(std::move(json));
  }
  return {{"entries", std::move(entries)},
          {"usable", resources.verdict.ok()},
          {"reason", std::string(resources.verdict.message())}};
}

std::string range_text(std::span<const tuner::Resources> many) {
  int least_registers = std::numeric_limits<int>::max(), most_registers = 0;
  double least_occupancy = 1, most_occupancy = 0;
  int64_t most_scratchpad = 0;
  for (const tuner::Resources& resources : many) {
    for (const EntryResources& entry : resources.entries) {
      least_registers = std::min(least_registers, entry.use.registers);
      most_registers = std::max(most_registers, entry.use.registers);
      most_scratchpad = std::max(most_scratchpad, entry.scratchpad_bytes);
      if (!entry.occupancy) continue;
      least_occupancy = std::min(least_occupancy, entry.occupancy->fraction);
      most_occupancy = std::max(most_occupancy, entry.occupancy->fraction);
    }
  }
  if (most_registers == 0) return "–";
  return fmt::format("{}–{} registers, {}–{} occupancy, up to {} of scratchpad", least_registers,
                     most_registers, percent_text(least_occupancy), percent_text(most_occupancy),
                     bytes_text(double(most_scratchpad)));
}

}  // namespace kiln::tunectl
