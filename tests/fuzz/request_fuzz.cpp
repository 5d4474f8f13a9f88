// What callers send to the daemon: refused with a reason, or converted. The first byte says which
// request the others are.

#include "core/problem.h"
#include "kiln/v1/kiln.pb.h"
#include "proto/problem.h"
#include "server/convert.h"
#include "server/page.h"
#include "server/request_check.h"
#include "templates/registry.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace kiln;

template <class Value>
bool converted(const StatusOr<Value>& value) {
  fuzz::require(value.ok() || !value.status().message().empty(), "a refusal has a reason");
  return value.ok();
}

void convert(const v1::Problem& message) {
  for (const Family* family : families()) {
    const auto fields = proto::fields_of(message, family->schema());
    if (!converted(fields)) continue;
    const auto problem = Problem::make(family->schema(), *fields);
    if (!converted(problem)) continue;
    const auto again = proto::fields_of(proto::to_message(*problem), family->schema());
    fuzz::require(again.ok(), "a problem's own message converts");
    const auto same = Problem::make(family->schema(), *again);
    fuzz::require(same.ok() && *same == *problem, "a problem survives its message");
  }
}

void convert(const v1::GetKernelRequest& request) {
  (void)converted(server::from_message(request.policy()));
  convert(request.problem());
}

void convert(const v1::CreateJobRequest& request) {
  if (const auto tune = server::from_message(request);
      converted(tune) && tune->options.budget.time) {
    fuzz::require(tune->options.budget.time->count() > 0, "a budget is positive");
  }
  convert(request.problem());
}

void convert(const v1::ListJobsRequest& request) {
  (void)converted(server::from_message(request.states()));
  if (const auto page = server::page_of(request.page_size(), request.page_token());
      converted(page)) {
    fuzz::require(page->limit > 0 && page->after >= 0, "a page is in range");
  }
}

template <class Request>
void handle(const uint8_t* data, size_t size) {
  Request request;
  if (!request.ParseFromArray(data, int(size))) return;
  if (server::check_request(request).ok()) convert(request);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  switch (data[0] % 3) {
    case 0:
      handle<v1::GetKernelRequest>(data + 1, size - 1);
      break;
    case 1:
      handle<v1::CreateJobRequest>(data + 1, size - 1);
      break;
    default:
      handle<v1::ListJobsRequest>(data + 1, size - 1);
      break;
  }
  return 0;
}
