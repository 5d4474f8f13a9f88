#include "core/plan.h"

#include <catch2/catch.hpp>

#include "core/expression.h"
#include "core/space.h"

namespace kiln {
namespace {

const std::vector<std::string> kSymbols = {"m", "n"};

StatusOr<int64_t> value(std::string_view text, std::vector<int64_t> values = {10, 3}) {
  StatusOr<Expression> expression = Expression::parse(text, kSymbols);
  if (!expression.ok()) return expression.status();
  return expression->evaluate(values);
}

Plan sample_plan() {
  Plan plan;
  plan.symbols = {{"m", 1, 100}, {"n", -1, 7}};
  plan.scalars = {"scale"};
  plan.buffers = {{.name = "x", .shape = {"m", "n * 2"}, .unit_stride_axis = 1},
                  {.name = "t",
                   .dtype = Dtype::kI64,
                   .shape = {"m + 1"},
                   .kind = Buffer::Kind::kTemporary,
                   .initial = Buffer::Initial::kZero}};
  plan.steps = {Fill{"t", 3},
                Launch{.entry = "forward",
                       .grid = {"ceil_div(m, 4)", "1", "1"},
                       .arguments = {{Argument::Kind::kTensor, "x"},
                                     {Argument::Kind::kSize, "m"},
                                     {Argument::Kind::kScalar, "scale"},
                                     {Argument::Kind::kTensorMap,
                                      "x",
                                      {{1, 0}, {4, 8}, TensorMap::Swizzle::k64Bytes}}},
                       .reads = {"x"},
                       .writes = {"t"}},
                Scan{"t"}, Read{"t", "m", "total"}};
  return plan;
}

}  // namespace

TEST_CASE("expressions follow precedence and round up") {
  CHECK(*value("m - n - 2") == 5);
  CHECK(*value("2 + m * n") == 32);
  CHECK(*value("(2 + m) * n") == 36);
  CHECK(*value("ceil_div(m, n)") == 4);
  CHECK(*value("max(0, n - m)") == 0);
  CHECK(*value("min(m, n) * ceil_div(max(m, 1), 4)") == 9);
  CHECK(*value("ceil_div(n - m, 2)") == -3);
}

TEST_CASE("expressions refuse overflow, nonsense and depth") {
  CHECK(value("m * 9223372036854775807").status().code() == absl::StatusCode::kOutOfRange);
  CHECK(value("ceil_div(m, n - 3)").status().code() == absl::StatusCode::kOutOfRange);
  for (const char* text : {"", "m +", "k", "m n", "9223372036854775808", "f(m)", "min(m)", "(m",
                           "m / 2", "-1", "min(m, n, 3)"}) {
    INFO(text);
    CHECK(value(text).status().code() == absl::StatusCode::kInvalidArgument);
  }
  CHECK_FALSE(value(std::string(2000, '(')).ok());
  CHECK_FALSE(value(std::string(200, '(') + "m" + std::string(200, ')')).ok());
  std::string chain = "m";
  for (int i = 0; i < 400; ++i)
    chain += "+n";
  CHECK(*value(chain) == 10 + 3 * 400);
  std::string nested = "m";
  for (int i = 0; i < 25; ++i)
    nested = "n+(" + nested + ")";
  CHECK(*value(nested) == 10 + 3 * 25);
}

TEST_CASE("plans survive their JSON form") {
  const Plan plan = sample_plan();
  const StatusOr<Plan> again = plan_from_json(to_json(plan));
  REQUIRE(again.ok());
  CHECK(*again == plan);
}

TEST_CASE("damaged plan JSON is refused with its place") {
  const std::string json = to_json(sample_plan());
  for (size_t length = 0; length < json.size(); length += 3) {
    CHECK_FALSE(plan_from_json(json.substr(0, length)).ok());
  }
  std::string wrong = json;
  wrong.replace(wrong.find("\"f32\""), 5, "\"f99\"");
  CHECK(std::string(plan_from_json(wrong).status().message()) ==
        "plan: buffers[0].dtype: expected a known element type");
}

TEST_CASE("spaces prune while enumerating") {
  int visited = 0;
  const Space space(1,
                    {{"a", "", {1, 2, 4}}, {"b", "", {1, 2, 3}}, {"c", "", {0, 1}, {"off", "on"}}},
                    {{"a * b <= 4", {"a", "b"}, [&](const Config& c) {
                        ++visited;
                        return c.at("a") * c.at("b") <= 4;
                      }}});
  const auto points = space.enumerate();
  REQUIRE(points.ok());
  CHECK(points->size() == 2 * 6);
  CHECK(visited == 9);
  const Config config = space.config((*points)[1]);
  CHECK(config.text() == "a=1 b=1 c=1");
  CHECK(space.text(config) == "a=1 b=1 c=on");
  CHECK(space.levels(config) == (*points)[1]);
  CHECK(*Config::parse(config.text()) == config);
  CHECK(space.check(config).ok());
  CHECK(std::string(space.check(*Config::parse("a=4 b=3 c=0")).message()) ==
        "config = a=4 b=3 c=off: expected a * b <= 4");
  CHECK_FALSE(space.check(*Config::parse("a=4 b=1")).ok());
  CHECK_FALSE(Config::parse("a=1 a=2").ok());
  CHECK_FALSE(Config::parse("a=x").ok());
  CHECK(space.enumerate(5).status().code() == absl::StatusCode::kResourceExhausted);
}

}  // namespace kiln
