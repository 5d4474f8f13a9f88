#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "client/tunectl/failure.h"
#include "tests/tunectl/command_line.h"
#include "tests/tunectl/scripted_service.h"

namespace kiln::tunectl {
namespace {

struct Program {
  ScriptedService service;
  CommandLine line{[this](const GlobalOptions&) -> StatusOr<std::unique_ptr<Connection>> {
    return std::make_unique<ScriptedConnection>(service);
  }};

  int run(const std::string& words) { return line.run(words); }
  bool out_has(const std::string& text) { return line.out().find(text) != std::string::npos; }
  bool err_has(const std::string& text) { return line.err().find(text) != std::string::npos; }

  // Presses Ctrl-C once a command had the time to start watching.
  int run_and_interrupt(const std::string& words) {
    std::jthread user([this] {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      line.interrupt();
    });
    return run(words);
  }
};

v1::Job failed_job() {
  v1::Job job;
  job.set_id(41);
  job.set_state(v1::Job::STATE_FAILED);
  job.set_error("no variant works: \x1b[31mdoes not compile");
  job.set_evaluations(12);
  auto* rejected = job.mutable_progress()->add_rejected();
  rejected->set_verdict(v1::VERDICT_COMPILE_FAILED);
  rejected->set_count(12);
  return job;
}

class WorkloadFile {
 public:
  explicit WorkloadFile(const std::string& content)
      : path_(std::filesystem::temp_directory_path() /
              ("kiln-pretune-" + std::to_string(getpid()) + ".csv")) {
    std::ofstream(path_) << content;
  }
  ~WorkloadFile() { std::filesystem::remove(path_); }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

v1::DiagnoseResponse::Line diagnosis(const std::string& subject, bool ok,
                                     const std::string& remedy) {
  v1::DiagnoseResponse::Line line;
  line.set_subject(subject);
  line.set_ok(ok);
  line.set_found("found so");
  line.set_remedy(remedy);
  return line;
}

constexpr char kProblem[] = " attention batch=1 tokens=64 ";

}  // namespace

TEST_CASE_METHOD(Program, "Listing succeeds, and what the service says cannot steer the terminal") {
  CHECK(run("families") == 0);
  CHECK(out_has("Attention.\\x1b[31m"));
}

TEST_CASE_METHOD(Program, "Version and help succeed everywhere") {
  for (const std::string words : {"--version", "tune --version", "list --version"}) {
    CHECK(run(words) == 0);
    CHECK(line.out().substr(0, 8) == "tunectl ");
  }
  CHECK(run("--help") == 0);
  CHECK(out_has("Exit codes"));
  CHECK(run("pretune --help") == 0);
  CHECK(out_has("--skip-invalid"));
}

TEST_CASE_METHOD(Program, "Help is written for people") {
  CHECK(run("--help") == 0);
  CHECK(out_has("--color auto|always|never"));
  CHECK(out_has("--socket PATH"));
  CHECK(run("get --help") == 0);
  CHECK(out_has("--stand-in any|default|none"));
  CHECK(out_has("(default any)"));
  for (const std::string command : {"", "tune", "pretune", "get", "compile", "workload", "list",
                                    "export", "gc", "jobs", "show", "delete"}) {
    CHECK(run(command + " --help") == 0);
    for (const char* raw : {"TEXT", "ENUM", "UINT", "INT", "REQUIRED", "{"}) {
      INFO(command << " shows " << raw);
      CHECK_FALSE(out_has(raw));
    }
  }
}

TEST_CASE_METHOD(Program, "A wrong command line is a usage error and reaches no service") {
  line = CommandLine([](const GlobalOptions&) -> StatusOr<std::unique_ptr<Connection>> {
    FAIL("connected");
    return absl::UnknownError("");
  });
  for (const std::string words : {"",
                                  "tun",
                                  "tune",
                                  "tune batch=1",
                                  "tune attention batch",
                                  "tune attention =1",
                                  "tune attention batch=1 --budget 20",
                                  "tune attention batch=1 --budget 0s",
                                  "tune attention batch=1 --nonsense",
                                  "show",
                                  "show x",
                                  "show 1 2",
                                  "delete",
                                  "get attention batch=1 --wait sometimes",
                                  "get attention batch=1 --stand-in some",
                                  "families --output xml",
                                  "families --color blue",
                                  "gc --measurements -1",
                                  "tune attention batch=1 --background --embedded",
                                  "pretune"}) {
    CAPTURE(words);
    CHECK(run(words) == 2);
    CHECK(line.out().empty());
    CHECK(err_has("tunectl: "));
  }
}

TEST_CASE("Without a daemon every command says how to start one") {
  CommandLine line(connect_by_options);
  for (const std::string words : {"families", "tune attention batch=1", "list", "jobs"}) {
    CAPTURE(words);
    CHECK(line.run(words + " --socket /nonexistent/kilnd.sock") == 3);
    CHECK(line.err().find("/nonexistent/kilnd.sock") != std::string::npos);
    CHECK(line.err().find("--embedded") != std::string::npos);
  }
}

TEST_CASE_METHOD(Program, "Tuning ends with the winner") {
  CHECK(run(std::string("tune") + kProblem) == 0);
  CHECK(out_has("1.00 ms"));
  CHECK(out_has("1.50×"));
  CHECK(err_has("job 41"));
}

TEST_CASE_METHOD(Program, "A script gets one document and a quiet standard error if it likes") {
  CHECK(run(std::string("tune --output json --quiet") + kProblem) == 0);
  CHECK(line.err().empty());
  const Json document = line.json();
  CHECK(document["job"]["state"] == "succeeded");
  CHECK(document["winner"]["id"] == 7);
  CHECK(document["winner"]["measurement"]["timing"]["median_ns"] == 1.0e6);
}

TEST_CASE_METHOD(Program, "Tuning without a working variant has a code of its own") {
  service.watched = {failed_job()};
  CHECK(run(std::string("tune") + kProblem) == 5);
  CHECK(err_has("no variant works: \\x1b[31m"));
  CHECK(run(std::string("tune --output json") + kProblem) == 5);
  CHECK(line.json()["winner"].is_null());
}

TEST_CASE_METHOD(Program, "A cancelled job is a failure") {
  service.watched.back().set_state(v1::Job::STATE_CANCELLED);
  CHECK(run(std::string("tune") + kProblem) == 1);
}

TEST_CASE_METHOD(Program, "Ctrl-C leaves a daemon's job alone and says how to find it") {
  service.watched.pop_back();
  service.watch_hangs = true;
  CHECK(run_and_interrupt(std::string("tune") + kProblem) == 130);
  CHECK(err_has("tunectl watch 41"));
  CHECK(err_has("tunectl cancel 41"));
  CHECK(service.cancelled_jobs == 0);
}

TEST_CASE_METHOD(Program, "Ctrl-C cancels an embedded job") {
  service.watched.pop_back();
  service.watch_hangs = true;
  CHECK(run_and_interrupt(std::string("tune --embedded") + kProblem) == 130);
  CHECK(service.cancelled_jobs == 1);
}

TEST_CASE_METHOD(Program, "A daemon that vanishes while watched is told from a failed job") {
  service.watched.pop_back();
  service.watch_end = {grpc::StatusCode::UNAVAILABLE, "Socket closed"};
  CHECK(run("watch 41") == 3);
  service.watch_end = grpc::Status::OK;
  CHECK(run("watch 41") == 1);
}

TEST_CASE_METHOD(Program, "What is not there has a code of its own") {
  CHECK(run("show 99") == 4);
  CHECK(run("watch 99") == 4);
  CHECK(run("describe none") == 4);
  CHECK(run(std::string("get") + kProblem) == 4);
}

TEST_CASE_METHOD(Program, "Lists fetch every page") {
  CHECK(run("list --output json") == 0);
  CHECK(line.json()["winners"].size() == 2);
  CHECK(run("report") == 0);
  CHECK(out_has("attention batch=1 tokens=64 "));
  CHECK_FALSE(out_has("causal"));  // a default
  CHECK(out_has("geometric mean gain 1.50× over 2 problems"));
}

TEST_CASE_METHOD(Program, "A winner is shown with what was measured and rejected") {
  for (int i = 0; i < 10; ++i) {
    v1::Measurement measurement;
    measurement.set_verdict(i < 7 ? v1::VERDICT_OK : v1::VERDICT_CRASHED);
    measurement.mutable_timing()->set_median_ns(1e6 * (1 + i));
    measurement.set_diagnostics("signal 11\nmore");
    service.measurements.push_back(measurement);
  }
  CHECK(run("show 7") == 0);
  CHECK(out_has("← winner"));
  CHECK(out_has("crashed"));
  CHECK(out_has("signal 11"));
  CHECK(run("show 7 --output json") == 0);
  CHECK(line.json()["measurements"].size() == 10);
}

TEST_CASE_METHOD(Program, "Export is written whole, to the output or to a file") {
  CHECK(run("export") == 0);
  CHECK(line.json()["schema"] == "kiln.export.v1");
  WorkloadFile file("");
  CHECK(run("export --out " + file.path()) == 0);
  CHECK(std::filesystem::file_size(file.path()) > 10);
  CHECK(run("export --out /nonexistent/export.json") != 0);
}

TEST_CASE_METHOD(Program, "A document is imported in whole, and a fault names the file") {
  WorkloadFile file("{" + std::string(600'000, ' ') + "}");
  CHECK(run("import " + file.path()) == 0);
  CHECK(service.imported.size() == 600'002);
  CHECK(out_has("1 measurement added, 2 known already"));
  CHECK(err_has("tries them first"));
  CHECK(run("import " + file.path() + " --output json") == 0);
  CHECK(line.json()["known"] == 2);
  WorkloadFile broken("[]");
  CHECK(run("import " + broken.path()) == 2);
  CHECK(err_has(broken.path() + ": winners[0]: no"));
  CHECK(run("import /nonexistent/report.json") == 2);
  CHECK(err_has("/nonexistent/report.json"));
  CHECK(run("import /") == 2);
  CHECK(err_has("is a directory"));
}

TEST_CASE_METHOD(Program,
                 "Winners are deleted one by one, and what is not there is said at the end") {
  CHECK(run("delete 7") == 0);
  CHECK(err_has("winner 7 deleted"));
  CHECK(run("delete 99 7 --output json") == 4);
  CHECK(line.json()["deleted"] == Json::array({7}));
  CHECK(service.deleted_winners == std::vector<int64_t>{7, 7});
}

TEST_CASE_METHOD(Program, "Collecting garbage passes the bounds on and tells what went") {
  service.collected.set_artifacts_removed(3);
  service.collected.set_bytes_removed(5 << 20);
  service.collected.set_measurements_removed(1200);
  service.collected.set_orphans_removed(2);
  CHECK(run("gc") == 0);
  CHECK(service.last_collection.artifact_bytes() == 0);
  CHECK(service.last_collection.measurements() == 0);
  CHECK(out_has("removed 3 artifacts (5.00 MiB), 1,200 measurements, 2 orphaned files"));
  CHECK(run("gc --artifact-bytes 512MB --measurements 1000 --output json") == 0);
  CHECK(service.last_collection.artifact_bytes() == 512 << 20);
  CHECK(service.last_collection.measurements() == 1000);
  CHECK(line.json()["measurements_removed"] == 1200);
}

TEST_CASE_METHOD(Program, "The doctor fails for faults, not for notes") {
  *service.diagnosis.add_lines() = diagnosis("compiler", true, "");
  *service.diagnosis.add_lines() = diagnosis("load", true, "stop other work");
  CHECK(run("doctor") == 0);
  CHECK(out_has("note"));
  CHECK(out_has("stop other work"));
  *service.diagnosis.add_lines() = diagnosis("worker", false, "reinstall");
  CHECK(run("doctor") == 1);
  CHECK(out_has("check"));
  CHECK(err_has("one thing wants attention"));
  CHECK(run("doctor --output json") == 1);
  CHECK(line.json()["ok"] == false);
}

TEST_CASE_METHOD(Program, "An invalid problem is a usage error with the service's words") {
  service.get_kernel = [](const auto&, auto&) {
    return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT,
                        "batch = 0: expected an integer between 1 and 1024");
  };
  CHECK(run("get attention batch=0 tokens=1") == 2);
  CHECK(err_has("batch = 0: expected an integer between 1 and 1024"));
}

TEST_CASE_METHOD(Program, "Pretuning starts nothing when a line is malformed or not admitted") {
  WorkloadFile malformed("name,batch,tokens\na,1,64\nb,1\n");
  CHECK(run("pretune " + malformed.path()) == 2);
  CHECK(err_has("line 3"));
  CHECK(err_has("tokens"));

  service.get_kernel = [](const v1::GetKernelRequest& request, v1::GetKernelResponse&) {
    if (request.problem().fields(0).value().choice() == "0") {
      return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "batch = 0: expected more");
    }
    return grpc::Status::OK;
  };
  WorkloadFile refused("name,batch,tokens\na,1,64\nbad-row,0,64\n");
  CHECK(run("pretune " + refused.path()) == 2);
  CHECK(err_has("bad-row"));
  CHECK(err_has("batch = 0"));
  CHECK(service.created_jobs == 0);
  CHECK(run("pretune --skip-invalid " + refused.path()) == 0);
  CHECK(service.created_jobs == 1);
}

TEST_CASE_METHOD(Program, "Pretuning skips what is tuned, unless forced") {
  service.get_kernel = [](const v1::GetKernelRequest& request, v1::GetKernelResponse& response) {
    response.set_found(request.problem().fields(0).value().choice() == "1");
    response.mutable_provenance()->set_kind(v1::Provenance::KIND_TUNED);
    response.mutable_provenance()->set_winner_id(7);
    return grpc::Status::OK;
  };
  WorkloadFile file("name,batch,tokens\na,1,64\nb,2,64\n");
  CHECK(run("pretune --output json " + file.path()) == 0);
  CHECK(service.created_jobs == 1);
  CHECK(line.json()["rows"][0]["state"] == "already tuned");
  CHECK(line.json()["rows"][1]["state"] == "tuned");
  CHECK(run("pretune --force " + file.path()) == 0);
  CHECK(service.created_jobs == 3);
}

TEST_CASE_METHOD(Program, "Pretuning goes on behind a failed row and ends with its code") {
  service.watched = {failed_job()};
  WorkloadFile file("name,batch,tokens\na,1,64\nb,2,64\n");
  CHECK(run("pretune " + file.path()) == 5);
  CHECK(service.created_jobs == 2);
}

TEST_CASE_METHOD(Program, "Pretuning can be interrupted and says how to go on") {
  service.watched.pop_back();
  service.watch_hangs = true;
  WorkloadFile file("name,batch,tokens\na,1,64\nb,2,64\n");
  CHECK(run_and_interrupt("pretune " + file.path()) == 130);
  CHECK(service.created_jobs == 1);
  CHECK(err_has("goes on where it stopped"));
}

TEST_CASE_METHOD(Program, "Rows are chosen by filters and limits") {
  WorkloadFile file("name,batch,tokens\na,1,64\nb,2,64\nc,3,64\n");
  CHECK(run("pretune --where name!=a --limit 1 --output json " + file.path()) == 0);
  CHECK(line.json()["rows"].size() == 1);
  CHECK(line.json()["rows"][0]["label"] == "b");
  CHECK(run("pretune --where name=none " + file.path()) == 2);
}

}  // namespace kiln::tunectl
