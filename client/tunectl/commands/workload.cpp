#include "tuner/workload.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "client/tunectl/commands/commands.h"
#include "client/tunectl/failure.h"
#include "client/tunectl/local_problem.h"
#include "client/tunectl/npy.h"
#include "client/tunectl/output_file.h"
#include "client/tunectl/table.h"
#include "client/tunectl/units.h"
#include "devices/compiler.h"
#include "runtime/host/thread_pool.h"
#include "tuner/reference.h"

namespace kiln::tunectl {
namespace {

// Beyond this a sample of the reference is computed: about half a minute a thread.
constexpr double kReferenceFlops = 3e10;
constexpr int64_t kReferenceElements = 256 << 20;

struct Options {
  std::vector<std::string> words;
  uint64_t seed = 1;
  std::string out;
};

// Axes by falling stride: the order in which the elements lie.
std::vector<int> storage_order(const HostTensor& tensor) {
  std::vector<int> order(tensor.shape.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::sort(order, [&](int a, int b) {
    return std::pair(-tensor.strides[size_t(a)], a) < std::pair(-tensor.strides[size_t(b)], b);
  });
  return order;
}

std::vector<int64_t> stored_shape(const HostTensor& tensor, const std::vector<int>& order) {
  std::vector<int64_t> shape;
  for (int axis : order)
    shape.push_back(tensor.shape[size_t(axis)]);
  return shape;
}

template <class T>
std::string_view bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

class WorkloadWriter {
 public:
  explicit WorkloadWriter(const std::string& directory) : directory_(directory) {}

  Status input(const HostTensor& tensor) {
    Json entry = describe(tensor, "input");
    entry["file"] = tensor.name + ".npy";
    const std::string_view bytes(static_cast<const char*>(tensor.data),
                                 size_t(tensor.elements()) * size_of(tensor.dtype));
    KILN_RETURN_IF_ERROR(write(tensor, "", npy_type(tensor.dtype), bytes));
    tensors_.push_back(std::move(entry));
    return absl::OkStatus();
  }

  Status output(const HostTensor& tensor, std::span<const tuner::Reference::Expected> expected) {
    const double unknown = std::numeric_limits<double>::quiet_NaN();
    std::vector<double> values(size_t(tensor.elements()), unknown);
    std::vector<double> tolerances(values.size(), unknown);
    for (const auto& element : expected) {
      values[size_t(element.offset)] = element.value;
      tolerances[size_t(element.offset)] = element.tolerance;
    }
    Json entry = describe(tensor, "output");
    entry["expected"] = tensor.name + ".expected.npy";
    entry["tolerance"] = tensor.name + ".tolerance.npy";
    entry["elements_checked"] = expected.size();
    KILN_RETURN_IF_ERROR(write(tensor, ".expected", "<f8", bytes_of(values)));
    KILN_RETURN_IF_ERROR(write(tensor, ".tolerance", "<f8", bytes_of(tolerances)));
    tensors_.push_back(std::move(entry));
    return absl::OkStatus();
  }

  Json take_tensors() { return std::move(tensors_); }

 private:
  Json describe(const HostTensor& tensor, const char* role) const {
    return {{"name", tensor.name},
            {"role", role},
            {"dtype", std::string(name_of(tensor.dtype))},
            {"shape", tensor.shape},
            {"strides", tensor.strides},
            {"stored_axes", storage_order(tensor)}};
  }

  Status write(const HostTensor& tensor, const char* suffix, std::string_view type,
               std::string_view bytes) {
    return write_file(fmt::format("{}/{}{}.npy", directory_, tensor.name, suffix),
                      npy_file(type, stored_shape(tensor, storage_order(tensor)), bytes));
  }

  std::string directory_;
  Json tensors_ = Json::array();
};

Status workload(Session& session, const Options& options) {
  KILN_ASSIGN_OR_RETURN(const engine::Catalogue catalogue, engine::Catalogue::embedded(""));
  KILN_ASSIGN_OR_RETURN(const LocalProblem local, resolve_problem(catalogue, options.words));
  const Family& family = *local.family;
  // What the arguments are does not depend on the target.
  KILN_ASSIGN_OR_RETURN(const auto compiler, devices::open_compiler("host", {}));
  const Target& target = compiler->target();
  const Plan plan =
      family.plan(local.problem, family.default_config(local.problem, target), target);
  KILN_ASSIGN_OR_RETURN(
      const auto tensors,
      tuner::Workload::make(
          family, local.problem, plan, 1,
          {.seed = options.seed, .memory_bytes = target.memory_bytes, .timed = false},
          session.stopped()));
  KILN_ASSIGN_OR_RETURN(const auto reference,
                        tuner::Reference::make(family, local.problem, tensors->tensors(),
                                               {.flops = kReferenceFlops,
                                                .elements = kReferenceElements,
                                                .seed = options.seed,
                                                .threads = runtime::usable_cpus()},
                                               session.stopped()));

  KILN_RETURN_IF_ERROR(make_directory(options.out));
  WorkloadWriter writer(options.out);
  for (size_t i = 0; i < tensors->tensors().size(); ++i) {
    const HostTensor& tensor = tensors->tensors()[i];
    const auto buffer = std::ranges::find(plan.buffers, tensor.name, &Buffer::name);
    KILN_RETURN_IF_ERROR(buffer->kind == Buffer::Kind::kInput
                             ? writer.input(tensor)
                             : writer.output(tensor, reference->expected(i)));
  }
  Json document = {{"problem", local.problem.text(/*all=*/true)},
                   {"seed", options.seed},
                   {"reference_units", reference->units()},
                   {"reference_units_total", reference->units_total()},
                   {"rule",
                    "|actual - expected| <= tolerance; infinities are equal; elements whose "
                    "expected value is NaN were not computed"},
                   {"storage",
                    "files hold the elements as they lie in memory: their axis i is "
                    "axis stored_axes[i] of the shape; bf16 as its 16 bits in <u2"},
                   {"tolerance", family.tolerance_derivation()},
                   {"tensors", writer.take_tensors()}};
  KILN_RETURN_IF_ERROR(write_file(options.out + "/workload.json", json_text(document)));
  if (session.json()) {
    session.print(document);
  } else {
    session.out().write(render_details(
        session.out(), {{"problem", {local.problem.text()}},
                        {"written to", {options.out}},
                        {"tensors", {count_text(int64_t(tensors->tensors().size()))}},
                        {"reference",
                         {fmt::format("{} of {} units", count_text(reference->units()),
                                      count_text(reference->units_total()))}}}));
  }
  return absl::OkStatus();
}

}  // namespace

Action declare_workload(OptionSet& set) {
  auto options = std::make_shared<Options>();
  set.words("problem", options->words, OptionSet::Need::kRequired, "FAMILY field=value …");
  set.number("--seed N", options->seed, "Of the inputs");
  options->out = "workload";
  set.text("--out DIR", options->out, "Directory for the .npy files and workload.json");
  return [options](Session& session) { return workload(session, *options); };
}

}  // namespace kiln::tunectl
