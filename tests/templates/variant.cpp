#include "tests/templates/variant.h"

#include <cmath>
#include <cstring>
#include <sstream>
#include <vector>

#include "core/key.h"
#include "runtime/host/instruction_set.h"
#include "runtime/host/thread_pool.h"
#include "templates/registry.h"

namespace kiln::test {

namespace {

constexpr int64_t kGuardElements = 64;

// A tensor of an argument's shape in memory of its own.
struct Arena {
  std::vector<char> memory;
  HostTensor tensor;

  Arena(const HostTensor& dense, const Spacing& spacing) : tensor(dense) {
    const size_t size = size_of(tensor.dtype);
    // Strides grow by whole rows' gaps, so that the order of the axes stays.
    if (spacing.row_gap != 0 && tensor.shape.size() > 1) {
      size_t inner = tensor.shape.size() - 1;
      while (inner > 0 && tensor.strides[inner] != 1)
        --inner;
      const int64_t row = tensor.shape[inner];
      for (size_t i = 0; i < tensor.shape.size(); ++i) {
        if (i != inner) tensor.strides[i] = tensor.strides[i] / row * (row + spacing.row_gap);
      }
    }
    int64_t last = 0;
    for (size_t i = 0; i < tensor.shape.size(); ++i) {
      last += (tensor.shape[i] - 1) * tensor.strides[i];
    }
    memory.assign(size_t(last + 2 * kGuardElements + spacing.lead + 1) * size + 64, '\xff');
    char* aligned = memory.data() + (64 - reinterpret_cast<uintptr_t>(memory.data()) % 64) % 64;
    tensor.data = aligned + size_t(kGuardElements + spacing.lead) * size;
  }

  void* at(int64_t offset) const {
    return static_cast<char*>(tensor.data) + offset * int64_t(size_of(tensor.dtype));
  }

  // f(offset in this tensor, index when dense)
  template <class F>
  void for_each(F f) const {
    std::vector<int64_t> index(tensor.shape.size(), 0);
    for (int64_t n = 0; n < tensor.elements(); ++n) {
      int64_t offset = 0;
      for (size_t i = 0; i < index.size(); ++i)
        offset += index[i] * tensor.strides[i];
      f(offset, n);
      for (size_t i = index.size(); i > 0; --i) {
        if (++index[i - 1] < tensor.shape[i - 1]) break;
        index[i - 1] = 0;
      }
    }
  }

  // Everything but the elements, which become `poison`.
  std::vector<char> surroundings() const {
    std::vector<char> copy = memory;
    for_each([&](int64_t offset, int64_t) {
      const char* element = static_cast<const char*>(at(offset));
      std::memset(copy.data() + (element - memory.data()), 0, size_of(tensor.dtype));
    });
    return copy;
  }
};

class Judge : public ReferenceSink {
 public:
  explicit Judge(std::span<const HostTensor> tensors) : tensors_(tensors) {}

  void expect(std::string_view output, int64_t offset, double expected, double tolerance) override {
    const double actual = find_tensor(tensors_, output).at(offset);
    ++count;
    const double error =
        std::isinf(expected) ? (actual == expected ? 0 : INFINITY) : std::abs(actual - expected);
    const double ratio = error == 0 ? 0 : error / tolerance;
    if (!(ratio <= worst)) {
      worst = std::isnan(ratio) ? INFINITY : ratio;
      std::ostringstream text;
      text << output << "[" << offset << "] = " << actual << ", expected " << expected << " ± "
           << tolerance;
      where = text.str();
    }
  }

  double worst = 0;
  int64_t count = 0;
  std::string where;

 private:
  std::span<const HostTensor> tensors_;
};

std::string with_definition(const std::string& header, const std::string& definition) {
  const std::string guard = "#pragma once";
  const size_t at = header.find(guard);
  return header.substr(0, at + guard.size()) + "\n" + definition + header.substr(at + guard.size());
}

}  // namespace

std::vector<Machine> machines() {
  if (testing::EmulatedProcessor::instance() != nullptr) {
    std::vector<Machine> emulated;
    for (const char* wide : {"host:avx512", "host:avx512bf16"}) {
      if (!Bench::available(wide)) emulated.push_back({wide, 0, false});
    }
    return emulated;
  }
  std::vector<Machine> all = {{"host:baseline", 0, false}};
  if (Bench::available("host:avx2")) {
    all = {{"host:baseline", 0, false}, {"host:avx2", 0, false}, {"host:avx2", 16, true}};
  }
  for (const char* wide : {"host:avx512", "host:avx512bf16"}) {
    if (Bench::available(wide)) all.push_back({wide, 0, false});
  }
  return all;
}

StatusOr<Problem> parse_problem(const Family& family, const std::string& fields) {
  std::vector<std::pair<std::string, std::string>> pairs;
  std::istringstream words(fields);
  for (std::string word; words >> word;) {
    const size_t equals = word.find('=');
    pairs.emplace_back(word.substr(0, equals), word.substr(equals + 1));
  }
  return Problem::parse(family.schema(), pairs);
}

Bench::Bench(const Family& family, const std::string& device, int forced_lanes, bool paired_bf16)
    : Bench(family, device, embedded_sources(), forced_lanes, paired_bf16) {}

Bench::Bench(const Family& family, const std::string& device, devices::SourceTree sources)
    : Bench(family, device, std::move(sources), 0, false) {}

Bench::Bench(const Family& family, const std::string& device, devices::SourceTree sources,
             int forced_lanes, bool paired_bf16)
    : family_(family) {
  devices::DeviceOptions options;
  options.sources = std::move(sources);
  options.cache_directory = cache_ / "cache";
  if (forced_lanes != 0) {
    std::string& header = options.sources.find("tile/core.h")->second;
    header = with_definition(header, "#define TILE_LANES " + std::to_string(forced_lanes) +
                                         (paired_bf16 ? "\n#define TILE_PAIRED_BF16 1\n" : "\n"));
  }
  if (!available(device)) {
    emulated_ = testing::EmulatedProcessor::instance();
    // Whoever loads an artifact refuses what this machine cannot run.
    std::string& header = options.sources.find("tile/host.h")->second;
    const std::string name = "\"" + device.substr(device.find(':') + 1) + "\"";
    const size_t at = header.find(name);
    REQUIRE(at != std::string::npos);
    header.replace(at, name.size(), "\"baseline\"");
  }
  auto opened = devices::open_device(device, options);
  INFO(opened.status());
  REQUIRE(opened.ok());
  device_ = *std::move(opened);
  target_ = device_->target();
  if (forced_lanes != 0) {
    target_.vector_lanes = forced_lanes;
    if (forced_lanes == 16) target_.vector_registers = 32;
    target_.bf16_dot = paired_bf16;
  }
}

bool Bench::available(const std::string& device) {
  if (device.starts_with("emulator:")) return true;
  const auto set = runtime::parse_instruction_set(device.substr(device.find(':') + 1));
  return set && runtime::can_run(*set);
}

Problem Bench::problem(const std::string& fields) const {
  auto parsed = parse_problem(family_, fields);
  INFO(parsed.status());
  REQUIRE(parsed.ok());
  REQUIRE(family_.check(*parsed).ok());
  return *std::move(parsed);
}

StatusOr<Artifact> Bench::compile(const Problem& problem, const Config& config) {
  const std::string key = statics_key(problem) + config.text();
  auto found = artifacts_.find(key);
  if (found == artifacts_.end()) {
    auto artifact = device_->compile(family_.source(problem, config, target_), {});
    if (!artifact.ok()) return artifact.status();
    if (emulated_ != nullptr) artifact->architecture = "baseline";
    found = artifacts_.emplace(key, *std::move(artifact)).first;
  }
  return found->second;
}

StatusOr<std::shared_ptr<const runtime::Kernel>> Bench::kernel(const Problem& problem,
                                                               const Config& config) {
  KILN_ASSIGN_OR_RETURN(const Artifact artifact, compile(problem, config));
  return runtime::Kernel::load(artifact, family_.plan(problem, config, target_));
}

Status Bench::launch(const runtime::Dispatch& dispatch,
                     const std::vector<runtime::Tensor>& arguments, int workers) const {
  std::vector<char> workspace(size_t(dispatch.workspace_bytes(workers)) + 64, '\xff');
  void* place = workspace.data() + (64 - reinterpret_cast<uintptr_t>(workspace.data()) % 64) % 64;
  if (emulated_ != nullptr) {
    testing::EmulatedPool pool(*emulated_, workers);
    return dispatch.launch(arguments, place, pool);
  }
  runtime::ThreadPool pool(workers);
  return dispatch.launch(arguments, place, pool);
}

double Bench::verify(const Problem& problem, const Config& config, const Spacing& spacing) {
  INFO(problem.text() << " | " << config.text() << " | " << device_->name() << " lanes "
                      << target_.vector_lanes << " gap " << spacing.row_gap << " lead "
                      << spacing.lead);
  const Outcome outcome = attempt(problem, config, spacing);
  INFO(outcome.status);
  CHECK(outcome.status.ok());
  return outcome.worst;
}

Outcome Bench::attempt(const Problem& problem, const Config& config, const Spacing& spacing) {
  const auto found = kernel(problem, config);
  if (!found.ok()) return {found.status()};
  const runtime::Kernel* loaded = found->get();
  const std::vector<int64_t> sizes = problem.sizes();
  const std::vector<double> scalars = problem.scalars();
  auto dispatch = loaded->prepare(sizes, scalars);
  if (!dispatch.ok()) return {dispatch.status()};

  std::vector<Arena> arenas;
  std::vector<HostTensor> tensors;
  std::vector<runtime::Tensor> arguments;
  arenas.reserve(loaded->arguments().size());
  for (size_t i = 0; i < loaded->arguments().size(); ++i) {
    const Buffer& buffer = loaded->arguments()[i];
    Arena& arena = arenas.emplace_back(dispatch->arguments()[i], spacing);
    if (buffer.optional && !spacing.optional) arena.tensor.data = nullptr;
    if (buffer.kind == Buffer::Kind::kInput && arena.tensor.data != nullptr) {
      HostTensor dense = dispatch->arguments()[i];
      std::vector<char> values(size_t(dense.elements()) * size_of(dense.dtype));
      dense.data = values.data();
      family_.fill_input(problem, 7, dense);
      arena.for_each([&](int64_t offset, int64_t n) {
        std::vector<int64_t> index(dense.shape.size());
        int64_t from = 0, rest = n;
        for (size_t axis = dense.shape.size(); axis-- > 0; rest /= dense.shape[axis]) {
          from += rest % dense.shape[axis] * dense.strides[axis];
        }
        store_element(dense.dtype, arena.at(offset), dense.at(from) * spacing.deviation);
      });
    }
    tensors.push_back(arena.tensor);
    arguments.push_back({arena.tensor.data, arena.tensor.strides.data()});
  }

  std::vector<std::vector<char>> before;
  for (const Arena& arena : arenas)
    before.push_back(arena.tensor.data ? arena.surroundings() : arena.memory);
  std::vector<std::vector<char>> results[2];
  for (int workers : {1, 3}) {
    const Status launched = launch(*dispatch, arguments, workers);
    if (!launched.ok()) return {launched};
    for (const Arena& arena : arenas)
      results[workers == 1].push_back(arena.memory);
  }
  if (results[0] != results[1]) {
    return {absl::InternalError("one worker and three do not compute the same")};
  }
  for (size_t i = 0; i < arenas.size(); ++i) {
    if (arenas[i].tensor.data != nullptr && arenas[i].surroundings() != before[i]) {
      return {absl::InternalError("memory around " + tensors[i].name + " has changed")};
    }
  }
  Judge judge(tensors);
  for (int64_t unit = 0; unit < family_.reference_units(problem); ++unit) {
    family_.reference_unit(problem, tensors, unit, judge);
  }
  CHECK(judge.count > 0);
  return {judge.worst <= 1 ? absl::OkStatus() : absl::InternalError(judge.where), judge.worst};
}

double Bench::verify(const std::string& fields, const Config& config, const Spacing& spacing) {
  return verify(problem(fields), config, spacing);
}

double Bench::verify_default(const std::string& fields, const Spacing& spacing) {
  const Problem p = problem(fields);
  return verify(p, family_.default_config(p, target_), spacing);
}

Config Bench::config(const std::string& fields, const std::string& changes) const {
  auto values = family_.default_config(problem(fields), target_).values();
  const auto parsed = Config::parse(changes);
  REQUIRE(parsed.ok());
  for (auto& [name, value] : values)
    value = parsed->find(name).value_or(value);
  return Config(values);
}

void Bench::verify_random_points(const std::string& fields, const Draw& draw,
                                 std::mt19937& random) {
  const Problem wanted = problem(fields);
  const Space space = family_.space(wanted, target_);
  const auto points = space.enumerate();
  REQUIRE(points.ok());
  CAPTURE(fields, points->size());
  CHECK(points->size() >= draw.least);
  const Problem probe = family_.probe(wanted);
  for (int i = 0; i < draw.count; ++i)
    verify(probe, space.config((*points)[random() % points->size()]));
}

void Bench::compile_default(const std::string& fields) {
  const Problem p = problem(fields);
  const Config config = family_.default_config(p, target_);
  INFO(p.text() << " | " << config.text() << " | " << device_->name());
  const Status status = compile(p, config).status();
  INFO(status);
  CHECK(status.ok());
}

}  // namespace kiln::test
