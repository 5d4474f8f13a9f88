#include "devices/compile/translation_unit.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>

#include "absl/strings/ascii.h"

namespace kiln::devices {
namespace {

bool is_name_character(unsigned char c) {
  return absl::ascii_isalnum(c) || c == '_';
}

bool is_identifier(std::string_view text) {
  return !text.empty() && !absl::ascii_isdigit(text[0]) &&
         std::ranges::all_of(text, is_name_character);
}

// "kiln::attention_forward::Forward", "tile::bf16".
bool is_qualified_name(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](unsigned char c) {
    return is_name_character(c) || c == ':';
  });
}

// An expression: nothing that could end the declaration or start a directive, text or comment.
bool is_value(std::string_view text) {
  constexpr std::string_view kOperators = ":.+-*%()<>, ";
  return !text.empty() && std::ranges::all_of(text, [&](unsigned char c) {
    return is_name_character(c) || kOperators.find(char(c)) != std::string_view::npos;
  });
}

StatusOr<std::string> member_text(const KernelSource::Member& member) {
  if (!is_identifier(member.name)) {
    return invalid_field("config name", member.name, "an identifier");
  }
  if (!is_value(member.value)) {
    return invalid_field(member.name, member.value,
                         "an expression of names, numbers and operators");
  }
  if (member.type == "type") return fmt::format("  using {} = {};\n", member.name, member.value);
  if (!is_qualified_name(member.type)) {
    return invalid_field(member.name, member.type, "the name of a type");
  }
  return fmt::format("  static constexpr {} {} = {};\n", member.type, member.name, member.value);
}

// The path between the quotes of an #include "..." line.
std::string_view quoted_include(std::string_view line) {
  auto skip = [&](std::string_view prefix) {
    while (!line.empty() && (line[0] == ' ' || line[0] == '\t'))
      line.remove_prefix(1);
    if (!line.starts_with(prefix)) return false;
    line.remove_prefix(prefix.size());
    return true;
  };
  if (!skip("#") || !skip("include") || !skip("\"")) return {};
  const size_t end = line.find('"');
  return end == std::string_view::npos ? std::string_view{} : line.substr(0, end);
}

// "a/b/../c" to "a/c"; empty when it leaves the tree.
std::string normalised(std::string_view path) {
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    const size_t slash = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, slash);
    path.remove_prefix(std::min(slash + 1, path.size()));
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      parts.push_back(part);
    } else if (parts.empty()) {
      return {};
    } else {
      parts.pop_back();
    }
  }
  return fmt::format("{}", fmt::join(parts, "/"));
}

}  // namespace

std::string entry_name(std::string_view kernel) {
  const size_t colon = kernel.rfind(':');
  std::string name;
  for (char c : colon == std::string_view::npos ? kernel : kernel.substr(colon + 1)) {
    const auto u = static_cast<unsigned char>(c);
    if (absl::ascii_isupper(u) && !name.empty()) name += '_';
    name += char(absl::ascii_tolower(u));
  }
  return name;
}

StatusOr<std::string> translation_unit(const KernelSource& source, const Lowering& lowering,
                                       const SourceTree& tree) {
  for (std::string_view file : {lowering.header, std::string_view(source.header)}) {
    if (!tree.contains(file)) {
      return invalid_field("kernel source", file, "a file among the kernels' sources");
    }
  }
  std::string text =
      fmt::format("#include \"{}\"\n#include \"{}\"\n\nnamespace {{\nstruct Config {{\n",
                  lowering.header, source.header);
  for (const KernelSource::Member& member : source.config) {
    KILN_ASSIGN_OR_RETURN(const std::string line, member_text(member));
    text += line;
  }
  text += "};\n}  // namespace\n\n";
  if (source.entries.empty()) return invalid_field("kernel entries", "none", "at least one");
  for (const std::string& entry : source.entries) {
    if (is_qualified_name(entry)) continue;
    return invalid_field("kernel entry", entry, "a qualified name");
  }
  if (!lowering.separate_entries) {
    return text + fmt::format("KILN_ENTRIES(Config, {})\n", fmt::join(source.entries, ", "));
  }
  for (const std::string& entry : source.entries) {
    text += fmt::format("KILN_ENTRY({}, Config, {})\n", entry_name(entry), entry);
  }
  return text;
}

std::vector<std::string> included_files(const std::string& text, const SourceTree& tree) {
  std::set<std::string> found;
  std::vector<std::string> open;  // files whose includes are still to be followed
  auto scan = [&](std::string_view content, std::string_view directory) {
    while (!content.empty()) {
      const size_t end = std::min(content.find('\n'), content.size());
      const std::string_view path = quoted_include(content.substr(0, end));
      content.remove_prefix(std::min(end + 1, content.size()));
      if (path.empty()) continue;
      for (const std::string& candidate :
           {normalised(fmt::format("{}/{}", directory, path)), normalised(path)}) {
        if (tree.contains(candidate) && found.insert(candidate).second) open.push_back(candidate);
      }
    }
  };
  scan(text, "");
  while (!open.empty()) {
    const std::string file = std::move(open.back());
    open.pop_back();
    const size_t slash = file.rfind('/');
    scan(tree.find(file)->second, slash == std::string::npos ? "" : file.substr(0, slash));
  }
  return {found.begin(), found.end()};
}

}  // namespace kiln::devices
