#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "core/dtype.h"
#include "core/key.h"
#include "core/problem.h"
#include "core/random.h"
#include "core/schema.h"

namespace kiln {
namespace {

double round_trip(Dtype dtype, double value) {
  char bytes[8];
  store_element(dtype, bytes, value);
  return load_element(dtype, bytes);
}

const Schema& schema() {
  static const Schema schema(
      "sample", 3, "For tests.",
      {{.name = "dtype",
        .type = FieldType::kChoice,
        .documentation = "",
        .choices = {"f32", "bf16"}},
       {.name = "rows",
        .field_class = FieldClass::kSized,
        .documentation = "",
        .minimum = 1,
        .maximum = 1 << 20,
        .bucketing = {.exact_up_to = 16, .per_octave = 8},
        .aliases = {"m"}},
       {.name = "window",
        .field_class = FieldClass::kSized,
        .documentation = "",
        .default_value = Value(int64_t{-1}),
        .minimum = -1,
        .maximum = 100},
       {.name = "width", .documentation = "", .minimum = 8, .maximum = 256, .multiple_of = 8},
       {.name = "step", .default_value = Value(int64_t{1}), .minimum = 1, .maximum = 16},
       {.name = "step_w",
        .default_value = Value(int64_t{0}),
        .minimum = 0,
        .maximum = 16,
        .same_as = "step"},
       {.name = "causal",
        .type = FieldType::kBoolean,
        .documentation = "",
        .default_value = Value(false)},
       {.name = "scale",
        .field_class = FieldClass::kScalar,
        .type = FieldType::kReal,
        .documentation = "",
        .default_value = Value(0.0),
        .minimum = 0,
        .maximum = 10}},
      {"source"});
  return schema;
}

using Fields = std::vector<std::pair<std::string, std::string>>;

Problem sample(const Fields& changes = {}) {
  Fields fields = {{"dtype", "f32"}, {"m", "100"}, {"width", "64"}};
  for (auto& [name, value] : changes) {
    bool replaced = false;
    for (auto& field : fields) {
      if (schema().find(field.first) == schema().find(name)) {
        field.second = value;
        replaced = true;
      }
    }
    if (!replaced) fields.emplace_back(name, value);
  }
  StatusOr<Problem> problem = Problem::parse(schema(), fields);
  REQUIRE(problem.ok());
  return *problem;
}

}  // namespace

TEST_CASE("half types round to nearest even, once") {
  CHECK(round_trip(Dtype::kF16, 1.0 + 0x1p-11) == 1.0);
  CHECK(round_trip(Dtype::kF16, 1.0 + 0x1p-11 + 0x1p-40) == 1.0 + 0x1p-10);
  CHECK(round_trip(Dtype::kF16, 65519.99) == 65504.0);
  CHECK(std::isinf(round_trip(Dtype::kF16, 65520.0)));
  CHECK(round_trip(Dtype::kF16, 0x1p-24) == 0x1p-24);
  CHECK(round_trip(Dtype::kF16, 0x1p-25) == 0.0);
  CHECK(round_trip(Dtype::kF16, -0x1.ff8p-15) == -0x1.ff8p-15);
  CHECK(round_trip(Dtype::kBF16, 1.0 + 0x1p-8) == 1.0);
  CHECK(round_trip(Dtype::kBF16, 1.0 + 0x1p-8 + 0x1p-40) == 1.0 + 0x1p-7);
  CHECK(round_trip(Dtype::kBF16, 3 * 0x1p-8 + 1.0) == 1.0 + 0x1p-6);
  CHECK(std::isnan(round_trip(Dtype::kBF16, NAN)));
  CHECK(std::isnan(round_trip(Dtype::kF16, NAN)));
  for (int bits = 0; bits < 0x10000; ++bits) {
    const auto stored = static_cast<uint16_t>(bits);
    for (const Dtype dtype : {Dtype::kF16, Dtype::kBF16}) {
      const double value = load_element(dtype, &stored);
      if (std::isnan(value)) continue;
      uint16_t again;
      store_element(dtype, &again, value);
      if (again != stored) FAIL(name_of(dtype) << " " << bits);
    }
  }
}

TEST_CASE("buckets cut octaves and keep sentinels") {
  const Bucketing bucketing{.exact_up_to = 16, .per_octave = 8};
  CHECK(bucketing.bucket(-1) == -1);
  CHECK(bucketing.bucket(13) == 13);
  CHECK(bucketing.bucket(17) == 18);
  CHECK(bucketing.bucket(197) == 208);
  CHECK(bucketing.bucket(208) == 208);
  CHECK(bucketing.bucket(209) == 224);
  CHECK(bucketing.bucket(256) == 256);
  CHECK(Bucketing{}.bucket(3) == 4);
  CHECK(Bucketing{}.bucket(INT64_MAX) == INT64_MAX);
}

TEST_CASE("problems fill in defaults, take aliases and print back") {
  const Problem problem = sample({{"causal", "1"}});
  CHECK(problem.integer("rows") == 100);
  CHECK(problem.integer("m") == 100);
  CHECK(problem.boolean("causal"));
  CHECK(problem.text() == "sample dtype=f32 rows=100 width=64 causal=true");
  CHECK(problem.text(true) ==
        "sample dtype=f32 rows=100 window=-1 width=64 step=1 step_w=0 causal=true scale=0");
  CHECK(problem.sizes() == std::vector<int64_t>{100, -1});
  CHECK(problem.scalars() == std::vector<double>{0.0});
}

TEST_CASE("a field that is the same as another has one form") {
  const Problem left_out = sample({{"step", "2"}});
  const Problem spelled_out = sample({{"step", "2"}, {"step_w", "2"}});
  CHECK(left_out == spelled_out);
  CHECK(left_out.integer("step_w") == 2);
  CHECK(spelled_out.text() == "sample dtype=f32 rows=100 width=64 step=2");
  CHECK(problem_key(left_out) == problem_key(spelled_out));
  CHECK(exact_key(left_out) == exact_key(spelled_out));
  CHECK(statics_key(left_out) == statics_key(spelled_out));
  CHECK(sample({{"step", "2"}, {"step_w", "1"}}).integer("step_w") == 1);
  CHECK(left_out.with({{"step_w", int64_t{3}}}).integer("step_w") == 3);
  CHECK(left_out.with({{"step_w", int64_t{2}}}) == left_out);
}

TEST_CASE("faults name field, value and expectation") {
  const auto message = [](const Fields& fields) {
    const StatusOr<Problem> problem = Problem::parse(schema(), fields);
    REQUIRE_FALSE(problem.ok());
    REQUIRE(field_violation(problem.status()));
    return std::string(problem.status().message());
  };
  CHECK(message({{"dtype", "f32"}, {"m", "0"}, {"width", "64"}}) ==
        "rows = 0: expected an integer between 1 and 1048576");
  CHECK(message({{"dtype", "f32"}, {"m", "1"}, {"width", "60"}}) ==
        "width = 60: expected a multiple of 8 between 8 and 256");
  CHECK(message({{"dtype", "f64"}, {"m", "1"}, {"width", "64"}}) ==
        "dtype = f64: expected one of f32, bf16");
  CHECK(message({{"dtype", "f32"}, {"m", "1"}}) ==
        "width = (missing): expected a multiple of 8 between 8 and 256");
  CHECK(message({{"rowz", "1"}}) == "rowz = 1: expected a field of sample; did you mean rows?");
  CHECK(message({{"m", "1"}, {"rows", "2"}}) == "rows = 2: expected field rows only once");
  CHECK(message({{"m", "1\n\x1b[31m"}}) ==
        "rows = 1\\x0a\\x1b[31m: expected an integer between 1 and 1048576");
  CHECK(message({{"m", "99999999999999999999"}}).find("rows = ") == 0);
  CHECK(message({{"scale", "nan"}}).find("scale = nan: expected a number") == 0);
}

TEST_CASE("keys hold buckets and leave scalars out") {
  CHECK(problem_key(sample()) == problem_key(sample({{"rows", "104"}, {"scale", "0.5"}})));
  CHECK(problem_key(sample()) != problem_key(sample({{"rows", "105"}})));
  CHECK(problem_key(sample()) != problem_key(sample({{"width", "72"}})));
  CHECK(exact_key(sample()) != exact_key(sample({{"rows", "104"}})));
  CHECK(statics_key(sample()) == statics_key(sample({{"rows", "7"}, {"window", "3"}})));
}

TEST_CASE("distance is infinite across statics, sentinels and more than fourfold sizes") {
  CHECK(distance(sample(), sample()) == 0);
  CHECK(distance(sample(), sample({{"rows", "200"}})) == Approx(1));
  CHECK(distance(sample(), sample({{"rows", "400"}})) == Approx(2));
  CHECK(std::isinf(distance(sample(), sample({{"rows", "401"}}))));
  CHECK(std::isinf(distance(sample(), sample({{"width", "72"}}))));
  CHECK(std::isinf(distance(sample(), sample({{"window", "4"}}))));
}

TEST_CASE("normal numbers are reproducible and normal") {
  std::vector<float> data(100000);
  HostTensor tensor{"x", Dtype::kF32, {100000}, {1}, data.data()};
  fill_normal(tensor, 7, 1);
  double sum = 0, squares = 0;
  for (const float x : data) {
    sum += x;
    squares += static_cast<double>(x) * x;
  }
  CHECK(std::fabs(sum / 1e5) < 0.02);
  CHECK(squares / 1e5 == Approx(1).margin(0.02));
  const std::vector<float> first = data;
  fill_normal(tensor, 7, 1);
  CHECK(data == first);
  fill_normal(tensor, 8, 1);
  CHECK(data != first);
}

TEST_CASE("a schema that does not hold together is refused, and the fault named") {
  const auto refused = [](Field field, std::vector<std::string> ignored = {}) {
    const auto made = Schema::make("sample", 1, "", {std::move(field)}, std::move(ignored));
    return made.ok() ? std::string() : field_violation(made.status())->field;
  };
  const Field rows = {.name = "rows", .field_class = FieldClass::kSized, .maximum = 9};
  CHECK(refused(rows).empty());
  const auto changed = [&](auto change) {
    Field field = rows;
    change(field);
    return refused(std::move(field));
  };
  CHECK(changed([](Field& f) { f.name = "2nd"; }) == "schema.fields");
  CHECK(changed([](Field& f) { f.aliases = {"rows"}; }) == "schema.fields");
  CHECK(changed([](Field& f) { f.type = FieldType::kReal; }) == "schema.fields[rows].type");
  CHECK(changed([](Field& f) { f.field_class = FieldClass::kScalar; }) ==
        "schema.fields[rows].type");
  CHECK(changed([](Field& f) { f.maximum = -1; }) == "schema.fields[rows].minimum");
  CHECK(changed([](Field& f) { f.minimum = NAN; }) == "schema.fields[rows].minimum");
  CHECK(changed([](Field& f) { f.minimum = -1e300; }) == "schema.fields[rows].minimum");
  CHECK(changed([](Field& f) { f.multiple_of = 0; }) == "schema.fields[rows].multiple_of");
  CHECK(changed([](Field& f) { f.bucketing.per_octave = INT64_MIN; }) ==
        "schema.fields[rows].bucketing.per_octave");
  CHECK(changed([](Field& f) { f.default_value = Value(int64_t{10}); }) ==
        "schema.fields[rows].default_value");
  CHECK(refused({.name = "dtype", .type = FieldType::kChoice}) == "schema.fields[dtype].choices");
  CHECK(refused(rows, {"rows"}) == "schema.ignored_columns");
}

}  // namespace kiln
