#include "integration/harness/sinks.hpp"

#include <cstdlib>
#include <string_view>

namespace meridian::test {

bool long_form() {
  const char* const set = std::getenv("MERIDIAN_TEST_LONG");
  return set != nullptr && std::string_view(set) == "1";
}

Json sink_into(const std::vector<std::string>& servers, const Json& changes) {
  Json sink = {{"name", "archive"}, {"servers", servers}, {"stream", "TELEMETRY"}};
  sink.merge_patch(changes);
  return sink;
}

Json read_back(const std::vector<std::string>& servers, std::uint64_t frames,
               const std::string& stream) {
  std::vector<std::string> command{meridian_sim, "consume",        "--stream",
                                   stream,       "--expect",       std::to_string(frames),
                                   "--json",     "--idle-timeout", "5"};
  for (const std::string& server : servers) {
    command.insert(command.end(), {"--server", server});
  }
  const Finished finished = run(command, {}, at_most(std::chrono::minutes(5)));
  Json read = Json::parse(finished.out);
  read["status"] = finished.status;
  return read;
}

void expect_whole(const Json& read, std::uint64_t frames) {
  EXPECT_EQ(read.at("status"), 0) << read;
  EXPECT_EQ(read.at("frames"), frames);
  EXPECT_EQ(read.at("distinct"), frames);
  EXPECT_EQ(read.at("missing"), 0) << read;
  expect_no_repeats(read);
}

void expect_no_repeats(const Json& read) {
  EXPECT_EQ(read.at("repeated"), 0) << read;
  EXPECT_EQ(read.at("out_of_order"), 0) << read;
  EXPECT_EQ(read.at("malformed"), 0) << read;
  EXPECT_EQ(read.at("failure"), Json(nullptr));
}

void SinkTest::SetUp() {
  if (!find_nats_server()) {
    GTEST_SKIP() << "nats-server is not installed";
  }
}

Daemon& SinkTest::start_sinks(const std::vector<Json>& sinks, const Json& buffer, const Json& more,
                              const Surroundings& surroundings) {
  Json changes = {{"buffer", {{"when_full", "backpressure"}}}};
  changes["buffer"].merge_patch(buffer);
  changes["sinks"] = sinks;
  changes.merge_patch(more);
  Daemon& started = start(changes, surroundings);
  EXPECT_EQ(started.stat("/state/damaged_bytes"), 0U) << started.log();
  return started;
}

ChildProcess SinkTest::simulate(std::size_t uplinks, const std::vector<std::string>& options) {
  std::vector<std::string> command{meridian_sim, "--json",
                                   "--uplinks",  std::to_string(uplinks),
                                   "--connect",  "127.0.0.1:" + std::to_string(daemon().port())};
  command.insert(command.end(), options.begin(), options.end());
  return ChildProcess(command);
}

Json SinkTest::simulate_all(std::size_t uplinks, std::uint64_t frames,
                            const std::vector<std::string>& options) {
  std::vector<std::string> all{"--frames", std::to_string(frames)};
  all.insert(all.end(), options.begin(), options.end());
  ChildProcess uplinks_there = simulate(uplinks, all);
  EXPECT_EQ(uplinks_there.wait(patience_for_delivery), 0) << uplinks_there.err();
  return Json::parse(uplinks_there.out());
}

Json SinkTest::sink(const std::string& name) {
  const Json answer = daemon().call("sinks");
  for (const Json& row : answer.at("sinks")) {
    if (row.at("name") == name) {
      return row;
    }
  }
  ADD_FAILURE() << "no sink " << name << " in " << answer;
  return nullptr;
}

std::uint64_t SinkTest::figure(const std::string& pointer, const std::string& name) {
  return sink(name).at(Json::json_pointer(pointer)).get<std::uint64_t>();
}

Json SinkTest::ledger() {
  const Json stats = daemon().call("stats");
  EXPECT_TRUE(balanced(stats)) << stats.at("ledger");
  return stats.at("ledger");
}

std::uint64_t SinkTest::comes_to_deliver_all() {
  EXPECT_TRUE(eventually(
      [&] {
        const Json stats = daemon().call("stats");
        EXPECT_TRUE(balanced(stats)) << stats.at("ledger");
        return stats.at("sessions").at("open") == 0 && stats.at("channel").at("length") == 0 &&
               stats.at("ledger").at("buffered") == 0;
      },
      patience_for_delivery))
      << daemon().call("stats") << sink();
  std::uint64_t sent = 0;
  const Json satellites = daemon().call("satellites");
  for (const Json& each : satellites.at("satellites")) {
    sent += each.at("last_sequence").get<std::uint64_t>() + 1;
    EXPECT_EQ(each.at("missing"), 0) << each;
  }
  const Json now = ledger();
  EXPECT_EQ(now.at("received"), sent);
  EXPECT_EQ(now.at("delivered"), sent);
  return sent;
}

bool SinkTest::comes_to_deliver(std::uint64_t frames) {
  return eventually(
      [&] {
        const Json now = ledger();
        return now.at("delivered") == frames && now.at("buffered") == 0;
      },
      patience_for_delivery);
}

bool SinkTest::comes_to_say(const std::string& reason, const std::string& name) {
  return eventually(
      [&] {
        const Json problem = sink(name).at("problem");
        return (problem.is_null() ? "" : problem.at("reason").get<std::string>()) == reason;
      },
      patience_for_delivery);
}

}  // namespace meridian::test
