#include "proto/plan.h"

#include "absl/strings/str_cat.h"
#include "core/key.h"

namespace kiln::proto {
namespace {

// Messages number an enumeration from 1; 0 is "unspecified".
template <typename Message, typename Enum>
Message to_enum(Enum value) {
  return Message(int(value) + 1);
}

template <typename Enum>
StatusOr<Enum> from_enum(int value, int count, std::string_view field) {
  if (value < 1 || value > count) {
    return invalid_field(field, absl::StrCat(value), absl::StrCat("between 1 and ", count));
  }
  return Enum(value - 1);
}

void fill(v1::Buffer& out, const Buffer& buffer) {
  out.set_name(buffer.name);
  out.set_dtype(to_enum<v1::Dtype>(buffer.dtype));
  for (const std::string& size : buffer.shape)
    out.add_shape(size);
  for (int axis : buffer.order)
    out.add_order(axis);
  out.set_kind(to_enum<v1::BufferKind>(buffer.kind));
  out.set_initial(v1::BufferInitial(int(buffer.initial)));
  out.set_optional(buffer.optional);
  out.set_unit_stride_axis(buffer.unit_stride_axis);
  out.set_alignment(buffer.alignment);
}

StatusOr<Buffer> from_message(const v1::Buffer& message) {
  Buffer buffer;
  buffer.name = message.name();
  KILN_ASSIGN_OR_RETURN(buffer.dtype,
                        from_enum<Dtype>(message.dtype(), v1::DTYPE_I64, "plan.buffers.dtype"));
  buffer.shape.assign(message.shape().begin(), message.shape().end());
  buffer.order.assign(message.order().begin(), message.order().end());
  KILN_ASSIGN_OR_RETURN(
      buffer.kind,
      from_enum<Buffer::Kind>(message.kind(), v1::BUFFER_KIND_PER_WORKER, "plan.buffers.kind"));
  KILN_ASSIGN_OR_RETURN(
      buffer.initial,
      from_enum<Buffer::Initial>(message.initial() + 1, v1::BUFFER_INITIAL_CLEAN_ON_EXIT + 1,
                                 "plan.buffers.initial"));
  buffer.optional = message.optional();
  buffer.unit_stride_axis = message.unit_stride_axis();
  buffer.alignment = message.alignment();
  return buffer;
}

void fill(v1::Launch& out, const Launch& launch) {
  out.set_entry(launch.entry);
  for (const std::string& size : launch.grid)
    out.add_grid(size);
  for (const Argument& argument : launch.arguments) {
    v1::Argument* added = out.add_arguments();
    added->set_kind(to_enum<v1::ArgumentKind>(argument.kind));
    added->set_text(argument.text);
    if (argument.kind == Argument::Kind::kTensorMap) {
      v1::TensorMap& map = *added->mutable_map();
      map.mutable_axes()->Assign(argument.map.axes.begin(), argument.map.axes.end());
      map.mutable_box()->Assign(argument.map.box.begin(), argument.map.box.end());
      map.set_swizzle(to_enum<v1::MapSwizzle>(argument.map.swizzle));
    }
  }
  for (const std::string& name : launch.reads)
    out.add_reads(name);
  for (const std::string& name : launch.writes)
    out.add_writes(name);
  out.set_lane(launch.lane);
  for (int size : launch.block)
    out.add_block(size);
  for (int size : launch.cluster)
    out.add_cluster(size);
  out.set_scratchpad_bytes(launch.scratchpad_bytes);
}

Status three(int size, std::string_view field) {
  if (size == 3) return absl::OkStatus();
  return invalid_field(field, absl::StrCat(size, " entries"), "3 entries: x, y, z");
}

StatusOr<Argument> from_message(const v1::Argument& message) {
  Argument argument;
  KILN_ASSIGN_OR_RETURN(argument.kind,
                        from_enum<Argument::Kind>(message.kind(), v1::ARGUMENT_KIND_TENSOR_MAP,
                                                  "plan.steps.launch.arguments.kind"));
  argument.text = message.text();
  if (argument.kind != Argument::Kind::kTensorMap) return argument;
  argument.map.axes.assign(message.map().axes().begin(), message.map().axes().end());
  argument.map.box.assign(message.map().box().begin(), message.map().box().end());
  KILN_ASSIGN_OR_RETURN(
      argument.map.swizzle,
      from_enum<TensorMap::Swizzle>(message.map().swizzle(), v1::MAP_SWIZZLE_128_BYTES,
                                    "plan.steps.launch.arguments.map.swizzle"));
  return argument;
}

StatusOr<Launch> from_message(const v1::Launch& message) {
  Launch launch;
  launch.entry = message.entry();
  KILN_RETURN_IF_ERROR(three(message.grid_size(), "plan.steps.launch.grid"));
  KILN_RETURN_IF_ERROR(three(message.block_size(), "plan.steps.launch.block"));
  KILN_RETURN_IF_ERROR(three(message.cluster_size(), "plan.steps.launch.cluster"));
  for (int i = 0; i < 3; ++i) {
    launch.grid[size_t(i)] = message.grid(i);
    launch.block[size_t(i)] = message.block(i);
    launch.cluster[size_t(i)] = message.cluster(i);
  }
  for (const v1::Argument& argument : message.arguments()) {
    KILN_ASSIGN_OR_RETURN(launch.arguments.emplace_back(), from_message(argument));
  }
  launch.reads.assign(message.reads().begin(), message.reads().end());
  launch.writes.assign(message.writes().begin(), message.writes().end());
  launch.lane = message.lane();
  launch.scratchpad_bytes = message.scratchpad_bytes();
  return launch;
}

v1::Step to_message(const Step& step) {
  v1::Step message;
  if (const auto* launch = std::get_if<Launch>(&step)) {
    fill(*message.mutable_launch(), *launch);
  } else if (const auto* fill_step = std::get_if<Fill>(&step)) {
    message.mutable_fill()->set_buffer(fill_step->buffer);
    message.mutable_fill()->set_byte(fill_step->byte);
  } else if (const auto* read = std::get_if<Read>(&step)) {
    message.mutable_read()->set_buffer(read->buffer);
    message.mutable_read()->set_index(read->index);
    message.mutable_read()->set_symbol(read->symbol);
  } else {
    message.mutable_scan()->set_buffer(std::get<Scan>(step).buffer);
  }
  return message;
}

StatusOr<Step> from_message(const v1::Step& message) {
  switch (message.kind_case()) {
    case v1::Step::kLaunch:
      return from_message(message.launch());
    case v1::Step::kFill:
      if (message.fill().byte() > 255) {
        return invalid_field("plan.steps.fill.byte", absl::StrCat(message.fill().byte()),
                             "at most 255");
      }
      return Fill{message.fill().buffer(), uint8_t(message.fill().byte())};
    case v1::Step::kRead:
      return Read{message.read().buffer(), message.read().index(), message.read().symbol()};
    case v1::Step::kScan:
      return Scan{message.scan().buffer()};
    case v1::Step::KIND_NOT_SET:
      break;
  }
  return invalid_field("plan.steps", "an unknown step", "launch, fill, read or scan");
}

}  // namespace

v1::Plan to_message(const Plan& plan) {
  v1::Plan message;
  message.set_version(kPlanVersion);
  for (const Symbol& symbol : plan.symbols) {
    v1::Symbol* added = message.add_symbols();
    added->set_name(symbol.name);
    added->set_minimum(symbol.minimum);
    added->set_maximum(symbol.maximum);
  }
  for (const std::string& scalar : plan.scalars)
    message.add_scalars(scalar);
  for (const Buffer& buffer : plan.buffers)
    fill(*message.add_buffers(), buffer);
  for (const Step& step : plan.steps)
    *message.add_steps() = to_message(step);
  return message;
}

StatusOr<Plan> from_message(const v1::Plan& message) {
  if (message.version() != kPlanVersion) {
    return invalid_field("plan.version", absl::StrCat(message.version()),
                         absl::StrCat(kPlanVersion));
  }
  Plan plan;
  for (const v1::Symbol& symbol : message.symbols()) {
    plan.symbols.push_back({symbol.name(), symbol.minimum(), symbol.maximum()});
  }
  plan.scalars.assign(message.scalars().begin(), message.scalars().end());
  for (const v1::Buffer& buffer : message.buffers()) {
    KILN_ASSIGN_OR_RETURN(Buffer converted, from_message(buffer));
    plan.buffers.push_back(std::move(converted));
  }
  for (const v1::Step& step : message.steps()) {
    KILN_ASSIGN_OR_RETURN(Step converted, from_message(step));
    plan.steps.push_back(std::move(converted));
  }
  return plan;
}

void fill(v1::Artifact& message, const Artifact& artifact, bool content) {
  message.set_hash(artifact.hash);
  message.set_size(int64_t(artifact.bytes.size()));
  if (content) message.set_content(artifact.bytes);
  message.set_target_kind(artifact.target_kind);
  message.set_architecture(artifact.architecture);
  message.set_code_identity(artifact.code_identity);
  message.set_toolchain(artifact.toolchain);
}

StatusOr<Artifact> from_message(const v1::Artifact& message) {
  if (int64_t(message.content().size()) != message.size() ||
      digest(message.content()) != message.hash()) {
    return invalid_field("artifact.hash", message.hash(),
                         absl::StrCat("the hash of its content: ", digest(message.content())));
  }
  Artifact artifact;
  artifact.bytes = message.content();
  artifact.hash = message.hash();
  artifact.target_kind = message.target_kind();
  artifact.architecture = message.architecture();
  artifact.code_identity = message.code_identity();
  artifact.toolchain = message.toolchain();
  return artifact;
}

}  // namespace kiln::proto
