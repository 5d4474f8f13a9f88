// ListWinners, GetWinner, DeleteWinner, ExportWinners, ImportMeasurements.

#include "absl/strings/str_split.h"
#include "core/key.h"
#include "core/plan.h"
#include "proto/measurement.h"
#include "proto/plan.h"
#include "server/answer.h"
#include "server/convert.h"
#include "server/page.h"

namespace kiln::server {
namespace {

constexpr size_t kExportChunk = 256 << 10;
constexpr int64_t kMaxMeasurements = 10'000;  // of one winner in one answer: under gRPC's 4 MiB

// The cost of the problem that a stored text names; nothing when today's schema refuses it.
std::optional<Cost> cost_of(const Family& family, const std::string& text) {
  std::vector<std::pair<std::string, std::string>> fields;
  for (const std::string& word : std::vector<std::string>(absl::StrSplit(text, ' '))) {
    const size_t equals = word.find('=');
    if (equals == std::string::npos) continue;  // the family's name
    fields.emplace_back(word.substr(0, equals), word.substr(equals + 1));
  }
  const StatusOr<Problem> problem = Problem::parse(family.schema(), fields);
  if (!problem.ok() || !family.check(*problem).ok()) return std::nullopt;
  return family.cost(*problem);
}

}  // namespace

v1::Winner Service::winner_message(const db::WinnerRow& row) const {
  v1::Winner message = to_message(row);
  if (const StatusOr<const Family*> family = engine_.family(row.problem.family); family.ok()) {
    if (const std::optional<Cost> cost = cost_of(**family, row.problem.text)) {
      *message.mutable_cost() = to_message(*cost);
    }
  }
  message.set_stale(engine_.stale(row));
  return message;
}

StatusOr<db::WinnerFilter> Service::filter(const v1::WinnerFilter& message) const {
  db::WinnerFilter filter;
  filter.family = message.family();
  filter.fingerprint = message.fingerprint();
  if (!message.family().empty()) KILN_RETURN_IF_ERROR(engine_.family(message.family()).status());
  if (message.has_problem()) {
    if (!message.family().empty() && message.family() != message.problem().family()) {
      return invalid_field("filter.family", message.family(), "the family of `filter.problem`");
    }
    KILN_ASSIGN_OR_RETURN(const Problem problem, this->problem(message.problem()));
    filter.family = problem.family();
    filter.statics_key = statics_key(problem);
  }
  return filter;
}

grpc::Status Service::ListWinners(grpc::ServerContext*, const v1::ListWinnersRequest* request,
                                  v1::ListWinnersResponse* response) {
  return answer(*request, [&]() -> Status {
    KILN_ASSIGN_OR_RETURN(const db::WinnerFilter filter, this->filter(request->filter()));
    KILN_ASSIGN_OR_RETURN(const db::Page page,
                          page_of(request->page_size(), request->page_token()));
    KILN_ASSIGN_OR_RETURN(const std::vector<db::WinnerRow> winners, engine_.winners(filter, page));
    for (const db::WinnerRow& winner : winners)
      *response->add_winners() = winner_message(winner);
    response->set_next_page_token(
        next_page_token(page, winners.size(), winners.empty() ? 0 : winners.back().id));
    return absl::OkStatus();
  });
}

grpc::Status Service::GetWinner(grpc::ServerContext*, const v1::GetWinnerRequest* request,
                                v1::GetWinnerResponse* response) {
  return answer(*request, [&]() -> Status {
    KILN_ASSIGN_OR_RETURN(const db::WinnerRow winner, engine_.winner(request->id()));
    *response->mutable_winner() = winner_message(winner);
    KILN_ASSIGN_OR_RETURN(const Plan plan, plan_from_json(winner.plan_json));
    *response->mutable_plan() = proto::to_message(plan);
    if (!request->with_measurements()) return absl::OkStatus();
    db::Page page{0, kMaxMeasurements};
    KILN_ASSIGN_OR_RETURN(const std::vector<db::MeasurementRow> rows,
                          engine_.measurements(winner, page));
    for (const db::MeasurementRow& row : rows) {
      v1::Measurement* measurement = response->add_measurements();
      *measurement = proto::to_message(row.measurement);
      measurement->set_id(row.id);
    }
    return absl::OkStatus();
  });
}

grpc::Status Service::DeleteWinner(grpc::ServerContext*, const v1::DeleteWinnerRequest* request,
                                   v1::DeleteWinnerResponse*) {
  return answer(*request, [&] { return engine_.delete_winner(request->id()); });
}

grpc::Status Service::ExportWinners(grpc::ServerContext*, const v1::ExportWinnersRequest* request,
                                    grpc::ServerWriter<v1::ExportWinnersResponse>* writer) {
  return answer(*request, [&]() -> Status {
    KILN_ASSIGN_OR_RETURN(const db::WinnerFilter filter, this->filter(request->filter()));
    KILN_ASSIGN_OR_RETURN(const std::string json, engine_.export_json(filter));
    v1::ExportWinnersResponse message;
    for (size_t at = 0; at < json.size(); at += kExportChunk) {
      message.set_chunk(json.substr(at, kExportChunk));
      if (!writer->Write(message)) return absl::CancelledError("the client is gone");
    }
    return absl::OkStatus();
  });
}

grpc::Status Service::ImportMeasurements(grpc::ServerContext*,
                                         grpc::ServerReader<v1::ImportMeasurementsRequest>* reader,
                                         v1::ImportMeasurementsResponse* response) {
  // Chunks are no fields of a request: the engine checks what they make together.
  return answer(v1::ImportMeasurementsRequest(), [&]() -> Status {
    std::string document;
    v1::ImportMeasurementsRequest part;
    while (reader->Read(&part)) {
      document += part.chunk();
      if (document.size() > engine::kMaxImportBytes) break;  // which the engine refuses
    }
    KILN_ASSIGN_OR_RETURN(const engine::ImportReport report, engine_.import_json(document));
    response->set_added(report.added);
    response->set_known(report.known);
    for (const std::string& fingerprint : report.fingerprints)
      response->add_fingerprints(fingerprint);
    return absl::OkStatus();
  });
}

}  // namespace kiln::server
