// What a client keeps besides its cache: the connection, schemas, and stand-ins to ask about again.
//
// Thread-safe. Belongs to the process that made it; a forked child makes a new one and leaves its
// parent's alone, whose locks and threads are not its own.

#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "client/kiln/client.h"
#include "client/kiln/connection.h"
#include "client/kiln/kernel_table.h"

namespace kiln {

class Session {
 public:
  // `options` and `table` outlive the session.
  Session(const ClientOptions& options, KernelTable& table);
  ~Session();

  Status connect() { return connection_.connect(); }

  // Lives as long as the session.
  StatusOr<const Schema*> schema(const std::string& family);

  // The number of all problems with these statics under this policy.
  uint64_t group(const Problem& problem, const Policy& policy);

  // Asks the daemon, puts the answer into the table, and remembers to ask again if it is
  // provisional.
  StatusOr<std::shared_ptr<const ServedKernel>> fetch(const ProblemHandle& problem);

 private:
  struct Provisional {
    ProblemHandle problem;
    std::chrono::milliseconds pause;
    std::chrono::steady_clock::time_point due;
  };

  StatusOr<std::shared_ptr<const ServedKernel>> ask(const ProblemHandle& problem,
                                                    const Policy& policy,
                                                    std::chrono::milliseconds time);
  std::shared_ptr<const runtime::Kernel> loaded(const std::string& artifact_hash);
  void watch(const ProblemHandle& problem);
  void refresh(std::stop_token stop);
  // Whether the answer is still provisional.
  bool refresh(const ProblemHandle& problem);

  const ClientOptions& options_;
  KernelTable& table_;
  Connection connection_;
  std::mutex mutex_;  // guards what follows, and writing to the table
  std::map<std::string, std::unique_ptr<const Schema>> schemas_;
  std::map<std::string, uint64_t> groups_;
  std::map<std::string, std::weak_ptr<const runtime::Kernel>> loaded_;  // by artifact hash
  std::map<uint64_t, std::vector<std::string>> hashes_;                 // by group, newest last
  std::vector<Provisional> provisional_;
  std::condition_variable_any changed_;
  std::jthread refresher_;  // started by the first stand-in; last: uses the members above
};

}  // namespace kiln
