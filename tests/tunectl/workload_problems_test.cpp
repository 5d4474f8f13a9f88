#include "client/tunectl/workload_problems.h"

#include <catch2/catch.hpp>

namespace kiln::tunectl {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

const Schema& attention() {
  static const Schema schema(
      "attention", 1, "",
      {{.name = "batch", .field_class = FieldClass::kSized, .minimum = 1, .maximum = 1024},
       {.name = "tokens", .field_class = FieldClass::kSized, .minimum = 1, .maximum = 1 << 20},
       {.name = "dtype",
        .type = FieldType::kChoice,
        .default_value = Value(std::string("f32")),
        .choices = {"f32", "bf16"}}},
      {"name", "source"});
  return schema;
}

const Schema& convolution() {
  static const Schema schema("convolution", 1, "",
                             {{.name = "batch",
                               .field_class = FieldClass::kSized,
                               .minimum = 1,
                               .maximum = 1024,
                               .aliases = {"N"}},
                              {.name = "channels",
                               .field_class = FieldClass::kSized,
                               .minimum = 1,
                               .maximum = 1 << 20,
                               .aliases = {"C"}}},
                             {"id", "op"});
  return schema;
}

StatusOr<std::vector<WorkloadProblem>> problems(std::string_view content,
                                                const WorkloadOptions& options = {}) {
  const auto workload = parse_workload(content);
  REQUIRE(workload.ok());
  return workload_problems(*workload, {&attention(), &convolution()}, options);
}

std::vector<WorkloadProblem> accepted(std::string_view content,
                                      const WorkloadOptions& options = {}) {
  auto found = problems(content, options);
  INFO(found.status());
  REQUIRE(found.ok());
  return *std::move(found);
}

std::string refusal(std::string_view content, const WorkloadOptions& options = {}) {
  const auto found = problems(content, options);
  REQUIRE_FALSE(found.ok());
  return std::string(found.status().message());
}

RowFilter filter(std::string_view text) {
  auto parsed = RowFilter::parse(text);
  REQUIRE(parsed.ok());
  return *std::move(parsed);
}

}  // namespace

TEST_CASE("The family is guessed from the columns, aliases count, ignored columns label") {
  const auto found = accepted("id,op,N,C\ndw1,fwd,8,96\n");
  REQUIRE(found.size() == 1);
  CHECK(found[0].family == "convolution");
  CHECK(found[0].label == "dw1");
  CHECK(found[0].line == 2);
  CHECK(found[0].fields == Fields{{"batch", "8"}, {"channels", "96"}});
}

TEST_CASE("Empty cells leave the default") {
  CHECK(accepted("batch,tokens,dtype\n1,64,\n")[0].fields ==
        Fields{{"batch", "1"}, {"tokens", "64"}});
}

TEST_CASE("Columns that fit nothing are named for every family") {
  const std::string message = refusal("batch,tokenz\n1,64\n");
  CHECK(message.find("tokenz") != std::string::npos);
  CHECK(message.find("--family") != std::string::npos);
  CHECK(refusal("batch,tokenz\n1,64\n", {.family = "attention"}) ==
        "line 1: column tokenz is neither a field of attention nor a column that it ignores");
}

TEST_CASE("A required field needs a column or --set") {
  CHECK(refusal("batch\n1\n", {.family = "attention"}) ==
        "line 1: no column gives tokens, which attention needs; add it or use --set tokens=VALUE");
  CHECK(accepted("batch\n1\n", {.family = "attention", .overrides = {{"tokens", "9"}}})[0].fields ==
        Fields{{"batch", "1"}, {"tokens", "9"}});
}

TEST_CASE("Two columns for one field are refused") {
  CHECK(refusal("N,batch,C\n1,1,1\n", {.family = "convolution"}) ==
        "line 1: columns N and batch both give batch");
}

TEST_CASE("An unknown family lists the known ones") {
  CHECK(refusal("batch\n1\n", {.family = "conv"}) ==
        "no family conv; there are attention, convolution");
}

TEST_CASE("A family column mixes families; cells of other families' columns must be empty") {
  const auto found = accepted("family,batch,tokens,channels\nattention,1,64,\nconvolution,2,,96\n");
  REQUIRE(found.size() == 2);
  CHECK(found[0].family == "attention");
  CHECK(found[1].fields == Fields{{"batch", "2"}, {"channels", "96"}});
  CHECK(refusal("family,batch,tokens,channels\nattention,1,64,3\n") ==
        "line 2: column channels is not empty, but attention has no such field");
  CHECK(refusal("family,batch,tokens\nattention,1,64\nnone,1,64\n").substr(0, 16) ==
        "line 3: family: ");
}

TEST_CASE("Overrides replace, the batch is bounded") {
  const auto found = accepted("N,C\n128,96\n2,96\n", {.overrides = {{"C", "7"}}, .max_batch = 8});
  CHECK(found[0].fields == Fields{{"batch", "8"}, {"channels", "7"}});
  CHECK(found[1].fields == Fields{{"batch", "2"}, {"channels", "7"}});
  CHECK(refusal("N,C\n1,1\n", {.family = "convolution", .overrides = {{"D", "7"}}}) ==
        "--set D: convolution has no such field");
}

TEST_CASE("Rows are chosen by their cells") {
  const std::string_view table = "id,op,N,C\na,fwd,1,96\nb,bwd,8,96\nc,fwd,128,3\n";
  CHECK(accepted(table, {.filters = {filter("op=fwd")}}).size() == 2);
  CHECK(accepted(table, {.filters = {filter("op!=fwd")}})[0].label == "b");
  CHECK(accepted(table, {.filters = {filter("N<=8"), filter("N>=2")}})[0].label == "b");
  CHECK(accepted(table, {.filters = {filter("op=")}}).empty());
  CHECK(refusal(table, {.filters = {filter("kind=fwd")}}) ==
        "--where = kind: expected one of the file's columns: id, op, N, C");
}

TEST_CASE("Filters that say nothing are refused") {
  for (const std::string_view text : {"", "op", "=fwd", "op<3", "op>3", "op!3", "N<=x", "N>="}) {
    CAPTURE(std::string(text));
    CHECK_FALSE(RowFilter::parse(text).ok());
  }
}

}  // namespace kiln::tunectl
