#include "client/tunectl/failure.h"

#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"

namespace kiln::tunectl {
namespace {

constexpr char kExitCodePayload[] = "kiln.tunectl/exit_code";
constexpr char kRemedyPayload[] = "kiln.tunectl/remedy";

std::string payload(const Status& status, const char* url) {
  const auto cord = status.GetPayload(url);
  return cord ? std::string(*cord) : std::string();
}

}  // namespace

Status failure(ExitCode code, const std::string& message, const std::string& remedy) {
  Status status(absl::StatusCode::kUnknown, message);
  status.SetPayload(kExitCodePayload, absl::Cord(std::to_string(static_cast<int>(code))));
  if (!remedy.empty()) status.SetPayload(kRemedyPayload, absl::Cord(remedy));
  return status;
}

Status usage_error(const std::string& message, const std::string& remedy) {
  return failure(ExitCode::kUsage, message, remedy);
}

ExitCode exit_code(const Status& status) {
  int code = 0;
  if (absl::SimpleAtoi(payload(status, kExitCodePayload), &code)) {
    return static_cast<ExitCode>(code);
  }
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return ExitCode::kOk;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kOutOfRange:
      return ExitCode::kUsage;
    case absl::StatusCode::kNotFound:
      return ExitCode::kNotFound;
    case absl::StatusCode::kCancelled:
      return ExitCode::kInterrupted;
    default:
      return ExitCode::kFailed;
  }
}

std::string remedy(const Status& status) {
  return payload(status, kRemedyPayload);
}

}  // namespace kiln::tunectl
