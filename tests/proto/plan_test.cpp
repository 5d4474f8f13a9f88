// Plans and artifacts on the wire.

#include "proto/plan.h"

#include <catch2/catch.hpp>
#include <functional>

#include "core/key.h"

namespace kiln::proto {
namespace {

Plan plan() {
  Plan plan;
  plan.symbols = {{"rows", 1, 1 << 20}, {"tokens", 1, INT64_MAX}};
  plan.scalars = {"scale"};
  plan.buffers = {{.name = "x",
                   .dtype = Dtype::kBF16,
                   .shape = {"rows", "tokens"},
                   .order = {1, 0},
                   .kind = Buffer::Kind::kInput,
                   .optional = true,
                   .unit_stride_axis = 1,
                   .alignment = 16},
                  {.name = "parts",
                   .dtype = Dtype::kI64,
                   .shape = {"rows + 1"},
                   .kind = Buffer::Kind::kTemporary,
                   .initial = Buffer::Initial::kCleanOnExit}};
  Launch launch;
  launch.entry = "forward";
  launch.grid = {"ceil_div(rows, 64)", "2", "1"};
  launch.arguments = {
      {Argument::Kind::kTensor, "x"},
      {Argument::Kind::kSize, "rows"},
      {Argument::Kind::kScalar, "scale"},
      {Argument::Kind::kTensorMap, "x", {{1, 0}, {64, 32}, TensorMap::Swizzle::k128Bytes}}};
  launch.reads = {"x"};
  launch.writes = {"parts"};
  launch.lane = 1;
  launch.block = {128, 1, 1};
  launch.cluster = {2, 1, 1};
  launch.scratchpad_bytes = "rows * 4";
  plan.steps = {Fill{"parts", 255}, launch, Scan{"parts"}, Read{"parts", "rows", "total"}};
  return plan;
}

// Whether from_message() refuses the plan above after this change, as a bad field.
bool refused(const std::function<void(v1::Plan&)>& change) {
  v1::Plan message = to_message(plan());
  change(message);
  const auto read = from_message(message);
  return !read.ok() && field_violation(read.status()).has_value();
}

Artifact artifact() {
  Artifact artifact;
  artifact.bytes = std::string(
      "\x7f"
      "ELF\0code",
      9);
  artifact.hash = digest(artifact.bytes);
  artifact.target_kind = "host";
  artifact.architecture = "avx2";
  artifact.code_identity = "0123";
  artifact.toolchain = "clang 19";
  return artifact;
}

}  // namespace

TEST_CASE("a plan with every kind of step comes back") {
  const auto back = from_message(to_message(plan()));
  INFO(back.status());
  REQUIRE(back.ok());
  CHECK(*back == plan());
}

TEST_CASE("a plan of another version or with unknown kinds is refused") {
  CHECK_FALSE(refused([](v1::Plan&) {}));
  CHECK(refused([](v1::Plan& p) { p.set_version(2); }));
  CHECK(refused([](v1::Plan& p) { p.mutable_buffers(0)->clear_dtype(); }));
  CHECK(refused([](v1::Plan& p) { p.mutable_buffers(0)->set_dtype(v1::Dtype(99)); }));
  CHECK(refused([](v1::Plan& p) { p.mutable_buffers(0)->clear_kind(); }));
  CHECK(refused([](v1::Plan& p) { p.mutable_buffers(1)->set_initial(v1::BufferInitial(-1)); }));
  CHECK(refused([](v1::Plan& p) { p.mutable_steps(0)->mutable_fill()->set_byte(256); }));
  CHECK(refused([](v1::Plan& p) { p.add_steps(); }));
  const auto launch = [](v1::Plan& p) { return p.mutable_steps(1)->mutable_launch(); };
  CHECK(refused([&](v1::Plan& p) { launch(p)->add_grid("1"); }));
  CHECK(refused([&](v1::Plan& p) { launch(p)->clear_block(); }));
  CHECK(refused([&](v1::Plan& p) { launch(p)->clear_cluster(); }));
  CHECK(refused([&](v1::Plan& p) { launch(p)->mutable_arguments(0)->clear_kind(); }));
  CHECK(refused([&](v1::Plan& p) { launch(p)->mutable_arguments(3)->clear_map(); }));
}

TEST_CASE("an artifact comes with its bytes, or without for those who have it") {
  v1::Artifact message;
  fill(message, artifact(), true);
  const auto back = from_message(message);
  REQUIRE(back.ok());
  CHECK(back->bytes == artifact().bytes);
  CHECK(back->hash == artifact().hash);
  CHECK(back->architecture == "avx2");
  CHECK(back->toolchain == "clang 19");

  v1::Artifact reference;
  fill(reference, artifact(), false);
  CHECK(reference.content().empty());
  CHECK(reference.size() == 9);
}

TEST_CASE("bytes that are not those of an artifact's hash and size are refused") {
  v1::Artifact message;
  fill(message, artifact(), true);
  for (size_t i = 0; i < message.content().size(); ++i) {
    v1::Artifact flipped = message;
    (*flipped.mutable_content())[i] ^= 1;
    CHECK(absl::IsInvalidArgument(from_message(flipped).status()));
  }
  v1::Artifact cut = message;
  cut.mutable_content()->pop_back();
  CHECK(absl::IsInvalidArgument(from_message(cut).status()));
  message.set_size(message.size() + 1);
  CHECK(absl::IsInvalidArgument(from_message(message).status()));
}

}  // namespace kiln::proto
