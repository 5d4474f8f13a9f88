// Problems, schemas, spaces and configs on the wire.

#include "proto/problem.h"

#include <catch2/catch.hpp>
#include <functional>

namespace kiln::proto {
namespace {

Schema schema() {
  return Schema("sample", 3, "For tests.",
                {{.name = "dtype", .type = FieldType::kChoice, .choices = {"f32", "bf16"}},
                 {.name = "rows",
                  .field_class = FieldClass::kSized,
                  .documentation = "how many",
                  .minimum = 1,
                  .maximum = 1 << 20,
                  .bucketing = {.exact_up_to = 16, .per_octave = 8},
                  .aliases = {"m"}},
                 {.name = "step", .default_value = int64_t{1}, .minimum = 1, .maximum = 16},
                 {.name = "step_w",
                  .default_value = int64_t{0},
                  .minimum = 0,
                  .maximum = 16,
                  .multiple_of = 2,
                  .same_as = "step"},
                 {.name = "causal", .type = FieldType::kBoolean, .default_value = false},
                 {.name = "scale",
                  .field_class = FieldClass::kScalar,
                  .type = FieldType::kReal,
                  .default_value = 0.5,
                  .maximum = 10}},
                {"source"});
}

// What from_message() says about the sample schema after a change that somebody made to it.
std::string fault(const std::function<void(v1::Schema&)>& change) {
  v1::Schema message = to_message(schema());
  change(message);
  const auto read = from_message(message);
  if (read.ok()) return "";
  CHECK(absl::IsInvalidArgument(read.status()));
  REQUIRE(field_violation(read.status()));
  return field_violation(read.status())->field;
}

}  // namespace

TEST_CASE("values of every kind come back") {
  for (const Value& value : {Value(int64_t{-7}), Value(INT64_MAX), Value(2.5), Value(true),
                             Value(std::string("bf16"))}) {
    const auto back = from_message(to_message(value));
    REQUIRE(back.ok());
    CHECK(*back == value);
  }
  CHECK(absl::IsInvalidArgument(from_message(v1::Value()).status()));
}

TEST_CASE("a problem comes back from its message, and from text in place of typed values") {
  const Schema fields = schema();
  const Problem problem =
      *Problem::parse(fields, {{"dtype", "bf16"}, {"m", "100"}, {"causal", "yes"}, {"scale", "2"}});
  const auto back = fields_of(to_message(problem), fields);
  REQUIRE(back.ok());
  CHECK(*Problem::make(fields, *back) == problem);

  v1::Problem words;
  for (const auto& [name, text] : {std::pair("dtype", "bf16"), std::pair("m", "100"),
                                   std::pair("causal", "yes"), std::pair("scale", "2")}) {
    v1::ProblemField* field = words.add_fields();
    field->set_name(name);
    field->mutable_value()->set_choice(text);
  }
  const auto read = fields_of(words, fields);
  REQUIRE(read.ok());
  CHECK(*Problem::make(fields, *read) == problem);
}

TEST_CASE("a problem's field without a value, or with text that does not read, is named") {
  const Schema fields = schema();
  v1::Problem problem;
  v1::ProblemField* field = problem.add_fields();
  field->set_name("rows");
  CHECK(fields_of(problem, fields).status().message() ==
        "rows = \"\": expected an integer between 1 and 1048576");
  field->mutable_value()->set_choice("many");
  CHECK(fields_of(problem, fields).status().message() ==
        "rows = many: expected an integer between 1 and 1048576");
  // Unknown names are Problem::make's to complain about, with its suggestion.
  field->set_name("rowz");
  CHECK(fields_of(problem, fields).ok());
}

TEST_CASE("a schema comes back whole") {
  const v1::Schema message = to_message(schema());
  const auto back = from_message(message);
  INFO(back.status());
  REQUIRE(back.ok());
  CHECK(to_message(*back).SerializeAsString() == message.SerializeAsString());
  CHECK(back->ignores("source"));
  CHECK(back->find("m") == back->find("rows"));
}

TEST_CASE("a schema that no family has is refused, naming what is wrong with it") {
  CHECK(fault([](v1::Schema&) {}).empty());
  const auto refused = [](const std::function<void(v1::Schema&)>& change) {
    return !fault(change).empty();
  };
  using Schema = v1::Schema;
  CHECK(refused([](Schema& s) { s.set_family("two words"); }));
  CHECK(refused([](Schema& s) { s.mutable_fields(1)->set_name(""); }));
  CHECK(refused([](Schema& s) { s.mutable_fields(1)->set_name("dtype"); }));
  CHECK(refused([](Schema& s) { s.mutable_fields(1)->add_aliases("dtype"); }));
  CHECK(refused([](Schema& s) { s.add_ignored_columns("rows"); }));
  CHECK(refused([](Schema& s) { s.mutable_fields(0)->clear_choices(); }));
  CHECK(refused([](Schema& s) { s.mutable_fields(0)->clear_type(); }));
  CHECK(refused([](Schema& s) { s.mutable_fields(0)->set_type(v1::FieldType(9)); }));
  CHECK(refused([](Schema& s) { s.mutable_fields(1)->clear_field_class(); }));
  CHECK(refused([](Schema& s) { s.mutable_fields(1)->set_type(v1::FIELD_TYPE_REAL); }));
  CHECK(refused([](Schema& s) { s.mutable_fields(5)->set_type(v1::FIELD_TYPE_INTEGER); }));
  CHECK(refused([](Schema& s) { s.mutable_fields(1)->set_minimum(2e9); }));
  CHECK(refused([](Schema& s) { s.mutable_fields(1)->set_maximum(NAN); }));
  CHECK(refused([](Schema& s) { s.mutable_fields(3)->set_multiple_of(-2); }));
  CHECK(refused([](Schema& s) { s.mutable_fields(1)->mutable_bucketing()->set_per_octave(3); }));
  CHECK(refused([](Schema& s) { s.mutable_fields(2)->mutable_default_value()->set_integer(17); }));
  CHECK(refused([](Schema& s) { s.mutable_fields(2)->mutable_default_value()->clear_kind(); }));
  CHECK(refused([](Schema& s) { s.mutable_fields(3)->set_same_as("stepp"); }));
  CHECK(refused([](Schema& s) { s.mutable_fields(3)->set_same_as("dtype"); }));
  CHECK(refused([](Schema& s) { s.mutable_fields(3)->clear_default_value(); }));
  CHECK(refused([](Schema& s) {
    while (s.fields_size() < 1000)
      s.add_fields()->set_name("f" + std::to_string(s.fields_size()));
  }));
}

TEST_CASE("configs come back, with names where the space has them") {
  const Space space(1,
                    {{.name = "block", .values = {16, 32}},
                     {.name = "lanes", .values = {0, 1}, .labels = {"rows", "columns"}}},
                    {{.text = "block > 0", .parameters = {"block"}, .holds = [](const Config&) {
                        return true;
                      }}});
  const Config config({{"block", 32}, {"lanes", 1}});
  CHECK(from_message(to_message(config)) == config);
  CHECK(from_message(to_message(config, space)) == config);
  CHECK(text_of(to_message(config)) == "block=32 lanes=1");
  CHECK(text_of(to_message(config, space)) == "block=32 lanes=columns");
  CHECK(text_of(to_message(config, space)) == space.text(config));
  // A config of another version of the space keeps its numbers.
  CHECK(text_of(to_message(Config({{"lanes", 7}, {"gone", 2}}), space)) == "lanes=7 gone=2");

  const v1::Space message = to_message(space, 4);
  CHECK(message.size() == 4);
  REQUIRE(message.parameters_size() == 2);
  CHECK(message.parameters(1).labels(1) == "columns");
  CHECK(message.constraints(0).text() == "block > 0");
}

}  // namespace kiln::proto
