#include <fmt/ranges.h>

#include "client/tunectl/commands/commands.h"
#include "client/tunectl/problem_words.h"
#include "client/tunectl/table.h"
#include "client/tunectl/text.h"
#include "client/tunectl/units.h"
#include "client/tunectl/winner_text.h"
#include "core/value.h"
#include "proto/problem.h"

namespace kiln::tunectl {
namespace {

struct Options {
  std::vector<std::string> words;
  std::string device;
};

std::string kept_in_key(const Field& field) {
  switch (field.field_class) {
    case FieldClass::kStatic:
      return "exact";
    case FieldClass::kSized:
      return field.bucketing.text();
    case FieldClass::kScalar:
      return "no";
  }
  return "";
}

std::string fields_table(Session& session, const Schema& schema) {
  Table table({{"field"},
               {"class"},
               {"must be", Align::kLeft, Fit::kWrap},
               {"default"},
               {"in the key", Align::kLeft, Fit::kWrap},
               {"also", Align::kLeft, Fit::kWrap},
               {"meaning", Align::kLeft, Fit::kWrap}});
  for (size_t i = 0; i < schema.fields().size(); ++i) {
    const Field& field = schema.fields()[i];
    table.add({{field.name, Style::kBold},
               {std::string(name_of(field.field_class))},
               {schema.expectation(i)},
               {field.default_value ? to_text(*field.default_value) : "required"},
               {kept_in_key(field)},
               {fmt::format("{}", fmt::join(field.aliases, ", "))},
               {field.documentation}});
  }
  return table.render(session.out());
}

std::string values_text(const v1::Parameter& parameter) {
  return parameter.labels_size() > 0 ? fmt::format("{}", fmt::join(parameter.labels(), ", "))
                                     : fmt::format("{}", fmt::join(parameter.values(), ", "));
}

std::string default_of(const v1::Config& config, const std::string& parameter) {
  for (const auto& entry : config.entries()) {
    if (entry.parameter() != parameter) continue;
    return entry.label().empty() ? std::to_string(entry.value()) : entry.label();
  }
  return "";
}

void print_space(Session& session, const v1::DescribeFamilyResponse& response) {
  Terminal& out = session.out();
  out.write(fmt::format("\n{}: {} admissible variants, version {}\n\n",
                        out.paint(Style::kBold, "Space"), count_text(response.space().size()),
                        response.space().version()));
  Table table({{"parameter"},
               {"values", Align::kLeft, Fit::kWrap},
               {"default"},
               {"what it changes", Align::kLeft, Fit::kWrap}});
  for (const auto& parameter : response.space().parameters()) {
    table.add({{parameter.name(), Style::kBold},
               {values_text(parameter)},
               {default_of(response.default_config(), parameter.name())},
               {parameter.documentation()}});
  }
  out.write(table.render(out));
  if (response.space().constraints_size() == 0) return;
  out.write(fmt::format("\n{}\n", out.paint(Style::kBold, "Constraints")));
  for (const auto& constraint : response.space().constraints()) {
    out.write(fmt::format("  {}\n", safe_text(constraint.text())));
  }
}

void print_paragraph(Session& session, std::string_view title, const std::string& text) {
  if (text.empty()) return;
  Terminal& out = session.out();
  const int columns = out.columns() > 0 ? out.columns() : 100;
  out.write(fmt::format("\n{}\n", out.paint(Style::kBold, title)));
  for (const std::string& line : wrap(safe_text(text), columns - 2)) {
    out.write(fmt::format("  {}\n", line));
  }
}

Status describe(Session& session, const Options& options) {
  KILN_ASSIGN_OR_RETURN(const v1::Problem problem, parse_problem(options.words));
  v1::DescribeFamilyRequest request;
  request.set_family(problem.family());
  request.set_device(options.device);
  if (problem.fields_size() > 0) *request.mutable_problem() = problem;
  KILN_ASSIGN_OR_RETURN(const auto response, session.api().describe_family(request));
  if (session.json()) {
    session.print(to_json(response));
    return absl::OkStatus();
  }
  KILN_ASSIGN_OR_RETURN(const Schema schema, proto::from_message(response.schema()));
  Terminal& out = session.out();
  out.write(fmt::format("{} version {}: {}\n\n", out.paint(Style::kBold, schema.family()),
                        schema.version(), safe_text(schema.documentation())));
  out.write(fields_table(session, schema));
  if (response.has_space()) print_space(session, response);
  print_paragraph(session, "Work", response.cost_convention());
  print_paragraph(session, "Tolerance", response.tolerance_derivation());
  if (!schema.ignored_columns().empty()) {
    print_paragraph(session, "Columns of workload files that are ignored",
                    fmt::format("{}", fmt::join(schema.ignored_columns(), ", ")));
  }
  if (!response.has_space()) {
    session.note("\nAdd field=value … to see the space and the default config of a problem.");
  }
  return absl::OkStatus();
}

}  // namespace

Action declare_describe(OptionSet& set) {
  auto options = std::make_shared<Options>();
  set.words("problem", options->words, OptionSet::Need::kRequired,
            "FAMILY, and a problem's field=value …");
  set.text("--device NAME", options->device, "Device by name or fingerprint (default host)");
  return [options](Session& session) { return describe(session, *options); };
}

}  // namespace kiln::tunectl
