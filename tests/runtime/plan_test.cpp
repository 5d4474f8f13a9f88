#include <functional>

#include "runtime/buffer_layout.h"
#include "runtime/checked_plan.h"
#include "runtime/tensor_map.h"
#include "tests/runtime/small_kernel.h"

namespace kiln::runtime {
namespace {

using Catch::Contains;
using test::scale_plan;

Buffer temporary(std::string name, std::string length) {
  Buffer buffer;
  buffer.name = std::move(name);
  buffer.shape = {std::move(length)};
  buffer.kind = Buffer::Kind::kTemporary;
  return buffer;
}

Launch& launch_of(Plan& plan) {
  return std::get<Launch>(plan.steps[0]);
}

void add_map(Plan& plan, const std::string& buffer, std::vector<int> axes, std::vector<int> box,
             TensorMap::Swizzle swizzle = TensorMap::Swizzle::kNone) {
  plan.buffers[0].unit_stride_axis = 0;
  launch_of(plan).arguments.push_back(
      {Argument::Kind::kTensorMap, buffer, {std::move(axes), std::move(box), swizzle}});
}

struct Fault {
  const char* what;
  const char* message;  // part of it
  std::function<void(Plan&)> plant;
};

TEST_CASE("A plan that says nonsense is refused with its place") {
  const Fault faults[] = {
      {"version", "plan.version", [](Plan& p) { p.version = 2; }},
      {"no steps", "plan.steps", [](Plan& p) { p.steps.clear(); }},
      {"symbol name", "plan.symbols[0]", [](Plan& p) { p.symbols[0].name = "a b"; }},
      {"empty range", "plan.symbols[0]", [](Plan& p) { p.symbols[0].minimum = 1 << 21; }},
      {"name twice", "plan.buffers[1]", [](Plan& p) { p.buffers[1].name = "x"; }},
      {"buffer named as symbol", "plan.buffers[0]", [](Plan& p) { p.buffers[0].name = "n"; }},
      {"unknown symbol", "plan.buffers[0].shape[0]", [](Plan& p) { p.buffers[0].shape = {"m"}; }},
      {"no expression", "plan.buffers[0].shape[0]", [](Plan& p) { p.buffers[0].shape = {"n+"}; }},
      {"rank", "at most 8", [](Plan& p) { p.buffers[0].shape.assign(9, "1"); }},
      {"order", "each axis once", [](Plan& p) { p.buffers[0].order = {1}; }},
      {"order length", "each axis once", [](Plan& p) { p.buffers[0].order = {0, 0}; }},
      {"unit stride", "unit_stride_axis", [](Plan& p) { p.buffers[0].unit_stride_axis = 1; }},
      {"alignment", "power of two", [](Plan& p) { p.buffers[0].alignment = 3; }},
      {"huge alignment", "power of two", [](Plan& p) { p.buffers[0].alignment = 1 << 20; }},
      {"initial of an input", "initial",
       [](Plan& p) { p.buffers[0].initial = Buffer::Initial::kZero; }},
      {"grid", "plan.steps[0].grid[1]", [](Plan& p) { launch_of(p).grid[1] = "x"; }},
      {"entry", "plan.steps[0].entry", [](Plan& p) { launch_of(p).entry = ""; }},
      {"unknown buffer read", "plan.steps[0].reads[0]",
       [](Plan& p) { launch_of(p).reads = {"z"}; }},
      {"unknown argument", "plan.steps[0].arguments[0]",
       [](Plan& p) { launch_of(p).arguments[0].text = "z"; }},
      {"argument not declared", "reads or writes", [](Plan& p) { launch_of(p).reads.clear(); }},
      {"input written", "not an input", [](Plan& p) { launch_of(p).writes = {"x", "y"}; }},
      {"output never written", "some step writes",
       [](Plan& p) {
         p.buffers.push_back(p.buffers[1]);
         p.buffers.back().name = "z";
       }},
      {"temporary read before it is written", "earlier step",
       [](Plan& p) {
         p.buffers.push_back(temporary("t", "n"));
         launch_of(p).reads.push_back("t");
       }},
      {"unknown scalar", "name of a scalar",
       [](Plan& p) { launch_of(p).arguments.push_back({Argument::Kind::kScalar, "s"}); }},
      {"too many slots", "256 slots",
       [](Plan& p) { launch_of(p).arguments.assign(200, {Argument::Kind::kTensor, "x"}); }},
      {"map over nothing", "name of a buffer", [](Plan& p) { add_map(p, "z", {0}, {4}); }},
      {"map over a buffer that is not declared", "reads or writes",
       [](Plan& p) {
         p.buffers.push_back(temporary("t", "n"));
         add_map(p, "t", {0}, {4});
       }},
      {"map over what may be absent", "every launch",
       [](Plan& p) {
         p.buffers[0].optional = true;
         add_map(p, "x", {0}, {4});
       }},
      {"map without axes", "each of the buffer's axes once",
       [](Plan& p) { add_map(p, "x", {}, {}); }},
      {"map of an axis twice", "each of the buffer's axes once",
       [](Plan& p) { add_map(p, "x", {0, 0}, {4, 4}); }},
      {"map along gaps", "axis of stride 1",
       [](Plan& p) {
         add_map(p, "x", {0}, {4});
         p.buffers[0].unit_stride_axis = -1;
       }},
      {"map of no box", "1 to 256 elements", [](Plan& p) { add_map(p, "x", {0}, {}); }},
      {"map of an empty box", "1 to 256 elements", [](Plan& p) { add_map(p, "x", {0}, {0}); }},
      {"map of a huge box", "1 to 256 elements", [](Plan& p) { add_map(p, "x", {0}, {257}); }},
      {"map of a ragged box", "multiple of 16", [](Plan& p) { add_map(p, "x", {0}, {6}); }},
      {"map of rows beside the swizzle's", "rows of 64 bytes",
       [](Plan& p) { add_map(p, "x", {0}, {32}, TensorMap::Swizzle::k64Bytes); }},
      {"maps of too many slots", "256 slots",
       [](Plan& p) {
         for (int i = 0; i < 11; ++i)
           add_map(p, "x", {0}, {4});
       }},
      {"optional temporary", "only arguments",
       [](Plan& p) {
         p.buffers.push_back(temporary("t", "n"));
         p.buffers.back().optional = true;
       }},
      {"fill of an input", "not an input", [](Plan& p) { p.steps.push_back(Fill{"x", 0}); }},
      {"scan of floats", "i64", [](Plan& p) { p.steps.push_back(Scan{"y"}); }},
      {"read of floats", "i64", [](Plan& p) { p.steps.push_back(Read{"y", "0", "count"}); }},
      {"too many buffers", "plan.buffers",
       [](Plan& p) {
         for (int i = 0; i < 100; ++i)
           p.buffers.push_back(temporary("t" + std::to_string(i), "1"));
       }},
  };
  REQUIRE(check_plan(scale_plan()).ok());
  for (const Fault& fault : faults) {
    INFO(fault.what);
    Plan plan = scale_plan();
    fault.plant(plan);
    const Status status = check_plan(plan).status();
    CHECK(status.code() == absl::StatusCode::kInvalidArgument);
    CHECK_THAT(std::string(status.message()), Contains(fault.message));
  }
}

TEST_CASE("Tensor maps begin at multiples of 64 bytes of a launch's slots") {
  Plan plan = scale_plan();
  add_map(plan, "x", {0}, {16}, TensorMap::Swizzle::k64Bytes);
  launch_of(plan).arguments.push_back({Argument::Kind::kSize, "n"});
  const auto checked = check_plan(plan);
  INFO(checked.status());
  REQUIRE(checked.ok());
  const auto& launch = std::get<CheckedPlan::Launch>(checked->steps[0]);
  CHECK(launch.arguments[2].slot == 8);
  CHECK(launch.arguments[3].slot == 32);
  CHECK(launch.slots == 40);
}

TEST_CASE("A tensor map shows a tensor where it lies, if copies can bring it") {
  const TensorMap map{{2, 1, 0}, {64, 16, 1}, TensorMap::Swizzle::k128Bytes};
  const std::vector<int64_t> shape = {2, 100, 64};
  const auto shown = [&](uint64_t address, std::vector<int64_t> strides) {
    return mapped_tensor(map, Dtype::kF16, address, shape, strides);
  };
  const auto mapped = shown(0x1000, {12800, 128, 1});
  REQUIRE(mapped);
  CHECK(mapped->rank == 3);
  CHECK(mapped->sizes == std::array<uint64_t, 5>{64, 100, 2});
  CHECK(mapped->strides == std::array<uint64_t, 5>{2, 256, 25600});
  CHECK(mapped->box == std::array<uint32_t, 5>{64, 16, 1});
  CHECK(shown(0x1000, {0, 128, 1}));
  CHECK_FALSE(shown(0x1008, {12800, 128, 1}));
  CHECK_FALSE(shown(0x1000, {12800, 129, 1}));
  CHECK_FALSE(shown(0x1000, {12800, -128, 1}));
  CHECK_FALSE(shown(0x1000, {int64_t{1} << 40, 128, 1}));
  CHECK_FALSE(shown(0, {12800, 128, 1}));
}

// A chain x -> t0 -> t1 -> ... -> y through temporaries of these lengths.
Plan chain(const std::vector<std::string>& lengths) {
  Plan plan = scale_plan();
  plan.steps.clear();
  std::string from = "x";
  for (size_t i = 0; i <= lengths.size(); ++i) {
    const std::string to = i < lengths.size() ? "t" + std::to_string(i) : "y";
    if (i < lengths.size()) plan.buffers.push_back(temporary(to, lengths[i]));
    Launch launch;
    launch.entry = "scale";
    launch.grid = {"n", "1", "1"};
    launch.reads = {from};
    launch.writes = {to};
    launch.arguments = {{Argument::Kind::kTensor, from}, {Argument::Kind::kTensor, to}};
    plan.steps.push_back(launch);
    from = to;
  }
  return plan;
}

StatusOr<Layout> lay_out_chain(const std::vector<std::string>& lengths, int64_t n) {
  auto checked = check_plan(chain(lengths));
  REQUIRE(checked.ok());
  return lay_out(*checked, std::span(&n, 1));
}

TEST_CASE("Temporaries that are never alive together share memory") {
  // Each is written by one step and read by the next: neighbours are alive together.
  CHECK(lay_out_chain({"64"}, 1)->arena_bytes == 256);
  CHECK(lay_out_chain({"64", "64"}, 1)->arena_bytes == 512);
  CHECK(lay_out_chain({"64", "64", "64", "64", "64"}, 1)->arena_bytes == 512);
  CHECK(lay_out_chain({"64", "16", "64"}, 1)->arena_bytes == 320);
}

TEST_CASE("Temporaries alive together never overlap, whatever their sizes") {
  for (uint32_t seed = 1; seed <= 200; ++seed) {
    std::vector<std::string> lengths;
    uint32_t random = seed * 2654435761u;
    for (int i = 0; i < 8; ++i) {
      random = random * 1664525u + 1013904223u;
      lengths.push_back(std::to_string(random >> 16 & 255));
    }
    auto layout = lay_out_chain(lengths, 1);
    REQUIRE(layout.ok());
    INFO("seed " << seed);
    for (size_t i = 2; i < layout->buffers.size(); ++i) {  // behind x and y
      const BufferLayout& a = layout->buffers[i];
      CHECK(a.offset % kWorkspaceAlignment == 0);
      CHECK(a.offset + a.bytes <= layout->arena_bytes);
      if (i + 1 == layout->buffers.size()) continue;
      const BufferLayout& b = layout->buffers[i + 1];
      CHECK((a.offset + a.bytes <= b.offset || b.offset + b.bytes <= a.offset));
    }
  }
}

TEST_CASE("Sizes that cannot be are refused") {
  CHECK(lay_out_chain({"n - 10"}, 5).status().code() == absl::StatusCode::kOutOfRange);
  CHECK(lay_out_chain({"n * 9000000000000000000"}, 5).status().code() ==
        absl::StatusCode::kOutOfRange);
  CHECK(lay_out_chain({"n * 1000000000000000"}, 5).status().code() ==
        absl::StatusCode::kOutOfRange);
  CHECK(lay_out_chain({"n * 1000000000000"}, 5).status().code() ==
        absl::StatusCode::kResourceExhausted);
}

TEST_CASE("Dense strides follow the buffer's order of axes") {
  Plan plan = scale_plan();
  plan.buffers[0].shape = {"2", "n", "5"};
  plan.buffers[0].order = {0, 2, 1};
  auto checked = check_plan(plan);
  REQUIRE(checked.ok());
  const int64_t n = 3;
  auto layout = lay_out(*checked, std::span(&n, 1));
  REQUIRE(layout.ok());
  CHECK(layout->buffers[0].strides == std::vector<int64_t>{15, 1, 3});
  CHECK(layout->buffers[0].bytes == 2 * 3 * 5 * 4);
}

TEST_CASE("The extent of a tensor counts gaps, backward strides and overflow") {
  using V = std::vector<int64_t>;
  CHECK(extent_bytes(V{2, 3}, V{3, 1}, 4) == 24);
  CHECK(extent_bytes(V{2, 3}, V{10, 1}, 4) == 52);
  CHECK(extent_bytes(V{3}, V{-2}, 4) == 20);
  CHECK(extent_bytes(V{3, 0}, V{1, 1}, 4) == 0);
  CHECK(extent_bytes(V{}, V{}, 8) == 8);
  CHECK_FALSE(extent_bytes(V{3}, V{INT64_MAX}, 4));
  CHECK_FALSE(extent_bytes(V{2}, V{INT64_MIN}, 4));
  CHECK_FALSE(extent_bytes(V{2}, V{INT64_MAX / 2}, 4));
}

}  // namespace
}  // namespace kiln::runtime
