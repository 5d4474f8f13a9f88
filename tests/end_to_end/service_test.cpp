// The whole product as processes: kilnd, its workers and tunectl.

#include <signal.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/end_to_end/house.h"

namespace kiln::test {
namespace {

using Words = std::vector<std::string>;

const Words kAttention = {"attention_forward", "batch=1",     "heads_q=4", "heads_kv=2", "seq_q=96",
                          "seq_kv=130",        "head_dim=32", "dtype=f32", "causal=true"};
const Words kDepthwise = {"depthwise_conv2d_forward",
                          "batch=1",
                          "channels=24",
                          "height=14",
                          "width=14",
                          "kernel_h=3",
                          "kernel_w=3",
                          "pad_h=1",
                          "pad_w=1",
                          "dtype=f32",
                          "layout=NHWC"};

Words with(std::string command, const Words& problem, const Words& flags = {}) {
  Words words = {std::move(command)};
  words.insert(words.end(), problem.begin(), problem.end());
  words.insert(words.end(), flags.begin(), flags.end());
  return words;
}

// Waits until `condition` holds, at most `seconds`.
template <class Condition>
bool eventually(int seconds, Condition condition) {
  for (int i = 0; i < seconds * 10; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return false;
}

}  // namespace

TEST_CASE("a miss is answered with the default, tuning replaces it, a restart keeps it") {
  House house;
  house.open();
  for (const Words& problem : {kAttention, kDepthwise}) {
    const auto miss = house.ask(with("get", problem));
    CHECK(miss["found"] == true);
    CHECK(miss["provenance"]["kind"] == "default");
    CHECK(miss["provenance"]["provisional"] == true);

    const auto tuned = house.ask(with("tune", problem, {"--budget", "6e"}));
    CHECK(tuned["job"]["state"] == "succeeded");
    CHECK(tuned["winner"]["measurement"]["verdict"] == "ok");
    CHECK(tuned["winner"]["measurement"]["verification"]["seeds"] >= 2);
    CHECK(tuned["winner"]["measurement"]["timing"]["median_ns"] > 0);

    const auto hit = house.ask(with("get", problem, {"--frozen"}));
    CHECK(hit["provenance"]["kind"] == "tuned");
    CHECK(hit["provenance"]["provisional"] == false);
    CHECK(hit["provenance"]["winner_id"] == tuned["winner"]["id"]);
  }
  CHECK(house.stop_daemon() == 0);
  house.open();
  CHECK(house.ask(with("get", kAttention, {"--frozen"}))["provenance"]["kind"] == "tuned");
  const auto exported = house.tunectl({"export"});
  CHECK(exported.exit_code == 0);
  CHECK(nlohmann::json::parse(exported.out)["winners"].size() == 2);
}

TEST_CASE("kill -9 of the daemon in the middle of tuning loses at most one measurement") {
  House house;
  house.open();
  const auto queued =
      house.ask(with("tune", kAttention, {"--background", "--budget", "25e", "--force"}));
  const std::string id = std::to_string(queued["job"]["id"].get<int64_t>());
  const auto job = [&] {
    const nlohmann::json answer = house.ask({"jobs", "--all"});
    for (const auto& row : answer["jobs"]) {
      if (std::to_string(row["id"].get<int64_t>()) == id) return row;
    }
    return nlohmann::json();
  };
  house.kill_daemon();
  house.open("always");
  REQUIRE(eventually(120, [&] {
    const auto progress = job()["progress"];
    return progress.is_object() && progress["measured"] >= 3;
  }));
  house.kill_daemon();
  house.open("always");
  CHECK(eventually(120, [&] { return job()["state"] == "succeeded"; }));
  INFO(house.log());
  const int64_t winner = job()["winner_id"];
  CHECK(winner > 0);
  CHECK(house.tunectl({"show", std::to_string(winner)}).exit_code == 0);
}

TEST_CASE("SIGTERM ends the daemon with a stream open and puts its job back") {
  House house;
  house.open();
  auto watching = house.tunectl_in_background(with("tune", kAttention, {"--budget", "60s"}));
  REQUIRE(eventually(30, [&] {
    const auto jobs = house.ask({"jobs"})["jobs"];
    return !jobs.empty() && jobs[0]["state"] == "running";
  }));
  CHECK(house.stop_daemon() == 0);
  CHECK(watching->wait(std::chrono::seconds(10)) > 0);
  house.open();
  const auto jobs = house.ask({"jobs", "--all"})["jobs"];
  REQUIRE(jobs.size() == 1);
  CHECK((jobs[0]["state"] == "queued" || jobs[0]["state"] == "running"));
  const std::string id = std::to_string(jobs[0]["id"].get<int64_t>());
  CHECK(house.tunectl({"cancel", id}).exit_code == 0);
  CHECK(eventually(
      10, [&] { return house.ask({"jobs", "--all"})["jobs"][0]["state"] == "cancelled"; }));
}

TEST_CASE("a killed client leaves its job running") {
  House house;
  house.open();
  auto client = house.tunectl_in_background(with("tune", kAttention, {"--budget", "12e"}));
  REQUIRE(eventually(30, [&] { return !house.ask({"jobs"})["jobs"].empty(); }));
  client->signal(SIGKILL);
  CHECK(eventually(
      60, [&] { return house.ask({"jobs", "--all"})["jobs"][0]["state"] == "succeeded"; }));
}

TEST_CASE("a second daemon is refused on the same database and on the same socket") {
  House house;
  house.open();
  const auto refused = [&](const Words& flags) {
    auto second = house.another(flags);
    const int code = second->wait(std::chrono::seconds(20));
    const std::string log = read_file(house.directory() + "/log2");
    INFO(log);
    CHECK(code > 0);
    return log;
  };
  const std::string pid = std::to_string(house.daemon().pid());
  CHECK(refused({"--socket", house.directory() + "/other/kilnd.sock", "--state-dir", house.state()})
            .find(pid) != std::string::npos);
  CHECK(refused({"--socket", house.socket(), "--state-dir", house.directory() + "/other"})
            .find(house.socket()) != std::string::npos);
  CHECK(house.tunectl({"families"}).exit_code == 0);
}

TEST_CASE("a corrupt database is set aside and the daemon serves") {
  House house;
  house.open();
  house.ask(with("tune", kDepthwise, {"--budget", "2e"}));
  CHECK(house.stop_daemon() == 0);
  {
    std::ofstream file(house.state() + "/kiln.db", std::ios::binary | std::ios::trunc);
    file << std::string(10'000, 'x');
  }
  house.open();
  CHECK(house.ask(with("get", kDepthwise))["found"] == true);
  bool set_aside = false;
  for (const auto& entry : std::filesystem::directory_iterator(house.state())) {
    set_aside |= entry.path().filename().string().rfind("kiln.db.corrupt-", 0) == 0;
  }
  CHECK(set_aside);
}

TEST_CASE("bad problems are refused with field, value and expectation") {
  House house;
  house.open();
  const auto refusal = [&](const Words& words) {
    const Finished finished = house.tunectl(words);
    CHECK(finished.exit_code == 2);
    return finished.err;
  };
  const auto contains = [](const std::string& text, const char* part) {
    INFO(text);
    CHECK(text.find(part) != std::string::npos);
  };
  Words problem = kAttention;
  problem[6] = "head_dim=60";
  contains(refusal(with("get", problem)), "head_dim = 60: expected a multiple of 8");
  problem = kAttention;
  problem[3] = "heads_kv=3";
  contains(refusal(with("tune", problem)), "heads_kv = 3: expected a divisor of heads_q = 4");
  problem = kAttention;
  problem.push_back("head_dims=64");
  contains(refusal(with("get", problem)), "did you mean head_dim?");
  problem = kAttention;
  problem[5] = "seq_kv=99999999999999999999";
  contains(refusal(with("get", problem)), "seq_kv = 99999999999999999999");
  problem = kAttention;
  problem[1] = "batch=60000";
  problem[4] = "seq_q=1000000";
  problem[5] = "seq_kv=1000000";
  contains(house.tunectl(with("get", problem)).err, "memory");
  CHECK(house.tunectl(with("get", {"attention_backward", "batch=1"})).exit_code == 4);
  contains(house.tunectl(with("get", {"attention_backward", "batch=1"})).err, "attention_forward");
  CHECK(house.tunectl({"families"}).exit_code == 0);
}

TEST_CASE("without a daemon tunectl says how to start one; --embedded needs none") {
  House house;
  const Finished lost = house.tunectl(with("get", kDepthwise));
  CHECK(lost.exit_code == 3);
  CHECK(lost.err.find("kilnd") != std::string::npos);
  CHECK(lost.err.find("--embedded") != std::string::npos);
  Words embedded = {"--embedded", "--state-dir", house.state()};
  const auto words = with("tune", kDepthwise, {"--budget", "3e"});
  embedded.insert(embedded.end(), words.begin(), words.end());
  const auto tuned = house.ask(embedded);
  CHECK(tuned["job"]["state"] == "succeeded");
}

TEST_CASE("a missing compiler is named, and what is known is still served") {
  House house;
  house.open();
  house.ask(with("tune", kDepthwise, {"--budget", "2e"}));
  CHECK(house.stop_daemon() == 0);
  house.open("never", {"--compiler", "/nowhere/clang++"});
  CHECK(house.ask(with("get", kDepthwise, {"--frozen"}))["found"] == true);
  const Finished failed = house.tunectl(with("get", kAttention));
  CHECK(failed.exit_code != 0);
  CHECK(failed.err.find("/nowhere/clang++") != std::string::npos);
  CHECK(house.tunectl({"doctor"}).out.find("/nowhere/clang++") != std::string::npos);
}

TEST_CASE("a winner is deleted, and collecting garbage removes its code and measurements") {
  House house;
  house.open();
  const auto tuned = house.ask(with("tune", kDepthwise, {"--budget", "2e"}));
  const std::string id = std::to_string(tuned["winner"]["id"].get<int64_t>());
  CHECK(house.ask({"gc"})["artifacts_removed"] == 0);
  CHECK(house.ask({"delete", id})["deleted"].size() == 1);
  CHECK(house.ask({"list"})["winners"].empty());
  CHECK(house.tunectl({"delete", id}).exit_code == 4);
  const auto collected = house.ask({"gc", "--artifact-bytes", "1B", "--measurements", "1"});
  CHECK(collected["artifacts_removed"] > 0);
  CHECK(collected["measurements_removed"] > 0);
  CHECK(house.ask(with("get", kDepthwise))["provenance"]["kind"] == "default");
}

TEST_CASE("pretune goes through a workload file, resumes and names a malformed line") {
  House house;
  house.open();
  const std::string path = house.directory() + "/problems.csv";
  const auto write = [&](const std::string& text) { std::ofstream(path) << text; };
  const std::string header =
      "name,batch,heads_q,heads_kv,seq_q,seq_kv,head_dim,causal,dtype,window_left,softcap,"
      "softmax_scale,source\n";
  write(header + "a,1,2,2,40,40,32,0,f32,-1,0,0,here\nb,1,2,1,33,50,16,1,f16,-1,0,0,there\n");
  const Words pretune = {"pretune", path, "--budget", "2e"};
  CHECK(house.tunectl(pretune).exit_code == 0);
  const auto winners = house.ask({"list"})["winners"];
  REQUIRE(winners.size() == 2);
  CHECK(house.tunectl(pretune).exit_code == 0);
  CHECK(house.ask({"list"})["winners"] == winners);
  write(header + "a,1,2,2,40,40,32,0,f32,-1,0,0,here\nb,1,2,1,33,50,17,1,f16,-1,0,0,there\n");
  const Finished malformed = house.tunectl(pretune);
  CHECK(malformed.exit_code == 2);
  INFO(malformed.err);
  CHECK(malformed.err.find("   3  b    head_dim = 17: expected") != std::string::npos);
}

}  // namespace kiln::test
