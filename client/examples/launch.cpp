// Fetches an attention kernel from kilnd, launches it on its own data, checks the result, and
// fetches it again from the cache. Argument: the daemon's socket (default: where kilnd listens).

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "client/kiln/client.h"
#include "client/kiln/problems.h"

template <typename T>
T require(kiln::StatusOr<T> value) {
  if (value.ok()) return *std::move(value);
  std::fprintf(stderr, "%s\n", value.status().ToString().c_str());
  std::exit(1);
}

int main(int count, char** arguments) {
  constexpr int64_t kTokens = 128, kHeads = 4, kHeadDim = 64;
  constexpr auto kDtype = kiln::problems::AttentionForward::Dtype::f32;
  const auto client = require(kiln::Client::connect({.socket = count > 1 ? arguments[1] : ""}));
  const kiln::problems::AttentionForward attention{.batch = 1,
                                                   .heads_q = kHeads,
                                                   .heads_kv = kHeads,
                                                   .seq_q = kTokens,
                                                   .seq_kv = kTokens,
                                                   .head_dim = kHeadDim,
                                                   .dtype = kDtype};
  const kiln::ProblemHandle problem = require(client->prepare(attention.builder()));

  const auto start = std::chrono::steady_clock::now();
  const auto kernel = require(client->get_kernel(problem));
  const auto fetched = std::chrono::steady_clock::now();

  // Equal queries and keys give every token the same weight: the result is the mean of the values.
  std::vector<float> q(kTokens * kHeads * kHeadDim, 0.5f), k = q, v = q, o(q.size());
  for (size_t i = 0; i < v.size(); ++i)
    v[i] = float(int64_t(i) / kHeadDim % kTokens);
  const kiln::runtime::Tensor tensors[] = {{q.data()}, {k.data()}, {v.data()}, {o.data()}, {}};
  if (const kiln::Status status = launch(*kernel, problem, tensors); !status.ok()) {
    std::fprintf(stderr, "%s\n", status.ToString().c_str());
    return 1;
  }
  const double expected = double(kTokens - 1) / 2;

  constexpr int kLookups = 100'000;
  const auto before = std::chrono::steady_clock::now();
  for (int i = 0; i < kLookups; ++i) {
    if (!client->find(problem)) return 1;
  }
  const std::chrono::duration<double, std::nano> cached = std::chrono::steady_clock::now() - before;
  const std::chrono::duration<double, std::milli> first = fetched - start;
  std::printf("o[0] = %g, expected %g\n", double(o[0]), expected);
  std::printf("from the daemon: %.3f ms (%s)\nfrom the cache:  %.0f ns\n", first.count(),
              kernel->config_text.c_str(), cached.count() / kLookups);
  return std::abs(double(o[0]) - expected) < 1e-3 ? 0 : 1;
}
