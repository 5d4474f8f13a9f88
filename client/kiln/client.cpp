#include "client/kiln/client.h"

#include <atomic>
#include <cstdlib>
#include <mutex>
#include <new>

#include "absl/strings/str_cat.h"
#include "client/kiln/fork.h"
#include "client/kiln/kernel_table.h"
#include "client/kiln/session.h"
#include "runtime/host/thread_pool.h"

namespace kiln {
namespace {

class DaemonClient final : public Client {
 public:
  explicit DaemonClient(const ClientOptions& options) : options_(options) { session(); }

  ~DaemonClient() override {
    Current* current = current_.load();
    // A parent's session is left alone: its thread and its locks are not this process's.
    if (current->generation == fork_generation()) delete current;
  }

  Status connect() { return session().connect(); }

  StatusOr<ProblemHandle> prepare(const ProblemBuilder& builder, const Policy& policy) override {
    KILN_ASSIGN_OR_RETURN(const Schema* schema, session().schema(builder.family()));
    std::vector<std::pair<std::string, Value>> fields = builder.fields();
    for (auto& [name, value] : fields) {
      const std::optional<size_t> index = schema->find(name);
      const auto* text = std::get_if<std::string>(&value);
      if (text == nullptr || !index || schema->fields()[*index].type == FieldType::kChoice) {
        continue;
      }
      KILN_ASSIGN_OR_RETURN(value, schema->parse(*index, *text));
    }
    KILN_ASSIGN_OR_RETURN(Problem problem, Problem::make(*schema, fields));
    const uint64_t group = session().group(problem, policy);
    return make_handle(std::move(problem), policy, group);
  }

  std::shared_ptr<const ServedKernel> find(const ProblemHandle& problem) const override {
    return table_.find(problem.key());
  }

  StatusOr<std::shared_ptr<const ServedKernel>> get_kernel(const ProblemHandle& problem) override {
    std::shared_ptr<const ServedKernel> cached = find(problem);
    const bool waits = problem.policy().wait != Policy::Wait::kNone;
    if (cached && !(waits && cached->provenance.provisional)) return cached;
    StatusOr<std::shared_ptr<const ServedKernel>> fetched = session().fetch(problem);
    if (!fetched.ok() && cached &&
        (absl::IsUnavailable(fetched.status()) || absl::IsDeadlineExceeded(fetched.status()))) {
      return cached;
    }
    return fetched;
  }

 private:
  struct Current {
    uint64_t generation;
    Session session;
  };

  Session& session() {
    Current* current = current_.load();
    while (current == nullptr || current->generation != fork_generation()) {
      auto* mine = new Current{fork_generation(), {options_, table_}};
      if (current_.compare_exchange_strong(current, mine)) return mine->session;
      delete mine;  // another thread was faster
    }
    return current->session;
  }

  const ClientOptions options_;
  KernelTable table_;
  std::atomic<Current*> current_ = nullptr;
};

// The workspace of a thread's launches, kept for the next.
class Workspace {
 public:
  ~Workspace() { std::free(data_); }

  // Null only when memory is exhausted.
  void* reserve(int64_t bytes) {
    if (bytes <= size_) return data_;
    std::free(data_);
    const int64_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
    data_ = std::aligned_alloc(kAlignment, size_t(rounded));
    size_ = data_ == nullptr ? 0 : rounded;
    return data_;
  }

 private:
  static constexpr int64_t kAlignment = 64;
  void* data_ = nullptr;
  int64_t size_ = 0;
};

}  // namespace

ProblemHandle Client::make_handle(Problem problem, const Policy& policy, uint64_t group) {
  return ProblemHandle(ProblemHandle::origin_of(std::move(problem), policy, group));
}

StatusOr<std::shared_ptr<Client>> Client::connect(const ClientOptions& options) {
  auto client = std::make_shared<DaemonClient>(options);
  KILN_RETURN_IF_ERROR(client->connect());
  return std::shared_ptr<Client>(std::move(client));
}

Status launch(const ServedKernel& kernel, const ProblemHandle& problem,
              std::span<const runtime::Tensor> tensors) {
  if (kernel.code->runs_on_gpu()) {
    return absl::FailedPreconditionError(
        absl::StrCat("a kernel of ", kernel.device,
                     " is launched with a workspace in its memory and with a stream"));
  }
  KILN_ASSIGN_OR_RETURN(const runtime::Dispatch dispatch,
                        kernel.code->prepare(problem.sizes(), problem.scalars()));
  runtime::ThreadPool& pool = runtime::ThreadPool::shared();
  const int64_t bytes = dispatch.workspace_bytes(pool.workers());
  thread_local Workspace workspace;
  void* memory = workspace.reserve(bytes);
  if (bytes > 0 && memory == nullptr) {
    return absl::ResourceExhaustedError(
        absl::StrCat("no memory for ", bytes, " bytes of ", "workspace"));
  }
  return dispatch.launch(tensors, memory, pool);
}

Status launch(const ServedKernel& kernel, const ProblemHandle& problem,
              std::span<const runtime::Tensor> tensors, void* workspace, void* stream) {
  KILN_ASSIGN_OR_RETURN(const runtime::Dispatch dispatch,
                        kernel.code->prepare(problem.sizes(), problem.scalars()));
  return dispatch.enqueue(tensors, workspace, stream);
}

StatusOr<int64_t> workspace_bytes(const ServedKernel& kernel, const ProblemHandle& problem) {
  KILN_ASSIGN_OR_RETURN(const runtime::Dispatch dispatch,
                        kernel.code->prepare(problem.sizes(), problem.scalars()));
  return dispatch.workspace_bytes(runtime::ThreadPool::shared().workers());
}

}  // namespace kiln
