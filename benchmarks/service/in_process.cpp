#include "benchmarks/service/in_process.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "client/kiln/client.h"

namespace kiln::bench {
namespace {

constexpr int kRounds = 15;
constexpr int kFinds = 200'000;
constexpr int kEntries = 64;
constexpr size_t kKeyBytes = 64;

// `status` must be OK.
void require(const Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "kiln-bench-service: %s\n", std::string(status.message()).c_str());
  std::exit(1);
}

template <class Find>
double nanoseconds(Find&& find) {
  size_t found = 0;
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < kFinds; ++i)
    found += find() ? 1 : 0;
  const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
  if (found != size_t(kFinds)) require(absl::InternalError("a cached kernel was not found"));
  return took.count() / kFinds;
}

ProblemBuilder builder_of(const v1::Problem& problem) {
  ProblemBuilder builder(problem.family());
  for (const auto& field : problem.fields()) {
    if (field.value().has_integer()) {
      builder.set(field.name(), field.value().integer());
    } else {
      builder.set(field.name(), field.value().choice());
    }
  }
  return builder;
}

}  // namespace

nlohmann::json in_process_lookup(const std::string& socket, const v1::Problem& problem) {
  ClientOptions options;
  options.socket = socket;
  options.refresh_interval = std::chrono::milliseconds(0);
  auto client = Client::connect(options);
  require(client.status());
  const auto handle = (*client)->prepare(builder_of(problem));
  require(handle.status());
  require((*client)->get_kernel(*handle).status());

  absl::flat_hash_map<std::string, std::shared_ptr<const ServedKernel>> map;
  std::string key(kKeyBytes, 'k');
  for (int i = 0; i < kEntries; ++i) {
    key[0] = char(i);
    map[key] = (*client)->find(*handle);
  }
  nlohmann::json ours = nlohmann::json::array();
  nlohmann::json theirs = nlohmann::json::array();
  for (int round = 0; round < kRounds; ++round) {
    ours.push_back(nanoseconds([&] { return (*client)->find(*handle) != nullptr; }));
    theirs.push_back(nanoseconds([&] { return map.find(key) != map.end(); }));
  }
  return {{"name", "in-process lookup"},
          {"unit", "ns"},
          {"peer_name", "flat_hash_map find"},
          {"kiln", ours},
          {"peer", theirs}};
}

}  // namespace kiln::bench
