// Leased drains over the control socket: what is not committed comes back.
#include "integration/harness/deadlines.hpp"
#include "integration/harness/saved_state.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>
#include <thread>

namespace meridian::test {
namespace {

using testing::HasSubstr;

constexpr int lease_ended = -32004;
constexpr int too_many_leases = -32005;

class LeasedDrain : public StateTest {
 protected:
  Json lease_end(ControlClient& client, const char* method, const Json& lease) {
    return client.ask(rpc(method, {{"lease", lease}}));
  }
  Json stats() { return daemon().call("stats"); }
};

TEST_F(LeasedDrain, IsCommittedByItsId) {
  start();
  send_whole(daemon().port(), frames_of(7, 0, 5));
  ControlClient client = daemon().connect();
  const Json leased = client.call("drain", {{"lease_s", 60}, {"max_frames", 3}});
  EXPECT_EQ(leased.at("frames").size(), 3U);
  EXPECT_FALSE(leased.at("frames").at(0).contains("redelivered"));
  EXPECT_EQ(leased.at("remaining"), 2);
  EXPECT_EQ(stats().at("ledger").at("leased"), 3);
  EXPECT_EQ(stats().at("leases").at("open"), 1);
  EXPECT_TRUE(balanced(stats()));
  EXPECT_EQ(client.call("commit", {{"lease", leased.at("lease")}}), (Json{{"committed", 3}}));
  EXPECT_EQ(stats().at("ledger").at("drained"), 3);
  EXPECT_EQ(stats().at("leases").at("ended").at("committed"), 1);

  const Json again = lease_end(client, "commit", leased.at("lease"));
  EXPECT_EQ(error_code_of(again), lease_ended);
}

TEST_F(LeasedDrain, ThatFindsNothingHasNoLease) {
  start();
  ControlClient client = daemon().connect();
  const Json leased = client.call("drain", {{"lease_s", 60}});
  EXPECT_EQ(leased.at("lease"), Json(nullptr));
  const ControlClient::BinaryDrain binary = client.drain_binary({{"lease_s", 60}});
  EXPECT_EQ(binary.result.at("lease"), Json(nullptr));
}

TEST_F(LeasedDrain, ReleasedFramesAreMarkedInBothFormats) {
  start();
  send_whole(daemon().port(), frames_of(7, 0, 5));
  ControlClient client = daemon().connect();
  const Json leased = client.call("drain", {{"lease_s", 60}, {"max_frames", 3}});
  EXPECT_EQ(client.call("release", {{"lease", leased.at("lease")}}), (Json{{"released", 3}}));
  const ControlClient::BinaryDrain binary = client.drain_binary({{"lease_s", 60}});
  EXPECT_EQ(binary.result.at("frames"), 5);
  EXPECT_EQ(binary.result.at("redelivered"), Json::parse("[[0, 3]]"));
  EXPECT_EQ(client.call("release", {{"lease", binary.result.at("lease")}}),
            (Json{{"released", 5}}));
  const Json all = client.call("drain");
  ASSERT_EQ(all.at("frames").size(), 5U);
  EXPECT_FALSE(all.contains("lease"));
  for (const Json& frame : all.at("frames")) {
    EXPECT_EQ(frame.at("redelivered"), true);
  }
}

TEST_F(LeasedDrain, ExpiresAndTellsALateCommit) {
  start();
  send_whole(daemon().port(), frames_of(7, 0, 5));
  ControlClient client = daemon().connect();
  const Json leased = client.call("drain", {{"lease_s", 1}});
  ASSERT_TRUE(eventually([&] { return stats().at("ledger").at("leased") == 0; }));
  EXPECT_EQ(stats().at("ledger").at("buffered"), 5);
  const Json late = lease_end(client, "commit", leased.at("lease"));
  EXPECT_EQ(error_code_of(late), lease_ended);
  EXPECT_THAT(error_message_of(late), HasSubstr("expired"));
  EXPECT_EQ(stats().at("leases").at("ended").at("expired"), 1);
}

TEST_F(LeasedDrain, EndsWithTheConnectionThatTookIt) {
  start();
  send_whole(daemon().port(), frames_of(7, 0, 5));
  {
    ControlClient client = daemon().connect();
    std::ignore = client.call("drain", {{"lease_s", 60}});
  }
  ASSERT_TRUE(eventually([&] { return stats().at("ledger").at("leased") == 0; }));
  const Json all = daemon().call("drain");
  ASSERT_EQ(all.at("frames").size(), 5U);
  EXPECT_EQ(all.at("frames").at(0).at("redelivered"), true);
}

TEST_F(LeasedDrain, IsNobodyElsesToEnd) {
  start();
  send_whole(daemon().port(), frames_of(7, 0, 5));
  ControlClient owner = daemon().connect();
  const Json leased = owner.call("drain", {{"lease_s", 60}});
  ControlClient other = daemon().connect();
  for (const char* method : {"commit", "release"}) {
    const Json refused = lease_end(other, method, leased.at("lease"));
    EXPECT_EQ(error_code_of(refused), lease_ended) << method;
  }
  EXPECT_EQ(owner.call("commit", {{"lease", leased.at("lease")}}), (Json{{"committed", 5}}));
}

TEST_F(LeasedDrain, EvictedFramesAreCountedAndCommitIsRefused) {
  start({{"buffer", {{"max_frames", 10}}}});
  send_whole(daemon().port(), frames_of(7, 0, 10));
  ControlClient client = daemon().connect();
  const Json leased = client.call("drain", {{"lease_s", 60}});
  send_whole(daemon().port(), frames_of(7, 10, 1));
  ASSERT_TRUE(eventually([&] { return stats().at("ledger").at("received") == 11; }));
  const Json refused = lease_end(client, "commit", leased.at("lease"));
  EXPECT_EQ(error_code_of(refused), lease_ended);
  EXPECT_THAT(error_message_of(refused), HasSubstr("evicted"));
  EXPECT_EQ(stats().at("ledger").at("dropped").at("lease_evicted"), 10);
  EXPECT_TRUE(balanced(stats()));
}

TEST_F(LeasedDrain, AreAtMost1024AClient) {
  start();
  send_whole(daemon().port(), frames_of(7, 0, 1025));
  ControlClient client = daemon().connect();
  for (int i = 0; i < 1024; ++i) {
    std::ignore = client.call("drain", {{"lease_s", 600}, {"max_frames", 1}});
  }
  const Json refused = client.ask(rpc("drain", {{"lease_s", 600}, {"max_frames", 1}}));
  EXPECT_EQ(error_code_of(refused), too_many_leases);
  EXPECT_EQ(client.call("release", {{"lease", 1}}), (Json{{"released", 1}}));
  EXPECT_EQ(client.call("drain", {{"lease_s", 600}, {"max_frames", 1}}).at("frames").size(), 1U);
}

TEST_F(LeasedDrain, RefusesWrongParameters) {
  start();
  ControlClient client = daemon().connect();
  for (const Json& value :
       {Json(0), Json(86'401), Json(1.5), Json("60"), Json(-1), Json(nullptr)}) {
    EXPECT_EQ(error_code_of(client.ask(rpc("drain", {{"lease_s", value}}))), -32602) << value;
    if (value != 86'401) {
      EXPECT_EQ(error_code_of(client.ask(rpc("commit", {{"lease", value}}))), -32602) << value;
    }
  }
  EXPECT_EQ(error_code_of(client.ask(rpc("commit"))), -32602);
  EXPECT_EQ(error_code_of(client.ask(rpc("release", {{"lease", 1}, {"more", 1}}))), -32602);
  EXPECT_EQ(error_code_of(client.ask("commit")), -32602);
}

TEST_F(LeasedDrain, MarkOutlivesARestart) {
  start();
  send_whole(daemon().port(), frames_of(7, 0, 5));
  {
    ControlClient client = daemon().connect();
    std::ignore = client.call("drain", {{"lease_s", 60}, {"max_frames", 2}});
    restart();
  }
  const Json all = daemon().call("drain");
  ASSERT_EQ(all.at("frames").size(), 5U);
  EXPECT_TRUE(all.at("frames").at(1).contains("redelivered"));
  EXPECT_FALSE(all.at("frames").at(2).contains("redelivered"));
}

/// A client that takes frames on a lease, and vanishes at a moment of its own.
class DyingClient {
 public:
  explicit DyingClient(std::mt19937_64& random) : random_(random) {}

  /// The sequences that it had committed before it died.
  std::set<std::uint64_t> run(const std::string& socket) {
    std::set<std::uint64_t> committed;
    ControlClient client(socket);
    const std::uint64_t drains = up_to(2);
    for (std::uint64_t i = 0; i <= drains; ++i) {
      client.send_line(rpc("drain", {{"lease_s", 60}, {"max_frames", 1 + up_to(30)}}));
      if (i == drains && up_to(1) == 0) {
        return committed;  // before it knows what it got
      }
      const Json leased = client.read_json().at("result");
      if (leased.at("lease").is_null()) {
        return committed;
      }
      if (i == drains) {
        return committed;  // between drain and commit
      }
      client.send_line(rpc("commit", {{"lease", leased.at("lease")}}));
      const Json answer = client.read_json();
      EXPECT_EQ(error_code_of(answer), 0) << answer;
      for (const Json& frame : leased.at("frames")) {
        committed.insert(frame.at("sequence").get<std::uint64_t>());
      }
    }
    return committed;
  }

 private:
  std::uint64_t up_to(std::uint64_t most) {
    return std::uniform_int_distribution<std::uint64_t>(0, most)(random_);
  }

  std::mt19937_64& random_;
};

TEST_F(LeasedDrain, AThousandClientsThatDieLoseNothing) {
  constexpr std::uint64_t frames = 20'000;
  start();
  send_whole(daemon().port(), frames_of(7, 0, frames));
  std::mt19937_64 random{1000};
  std::set<std::uint64_t> committed;
  for (int client = 0; client < 1000; ++client) {
    for (const std::uint64_t sequence : DyingClient(random).run(daemon().socket())) {
      EXPECT_TRUE(committed.insert(sequence).second) << sequence << " was committed twice";
    }
    if (client % 50 == 0) {
      EXPECT_TRUE(balanced(stats()));
    }
  }
  // The request of a client that did not wait may not have been read yet: none of them is left
  // first.
  ControlClient last = daemon().connect();
  ASSERT_TRUE(eventually([&] {
    const Json now = last.call("stats");
    return now.at("control").at("clients") == 1 && now.at("ledger").at("leased") == 0;
  }));
  const Json rest = last.call("drain", {{"max_frames", frames}});
  std::uint64_t marked = 0;
  for (const Json& frame : rest.at("frames")) {
    EXPECT_TRUE(committed.insert(frame.at("sequence").get<std::uint64_t>()).second);
    marked += frame.contains("redelivered") ? 1 : 0;
  }
  EXPECT_EQ(committed.size(), frames) << "each once: committed by a client, or still there";
  EXPECT_GT(marked, 0U);
  EXPECT_TRUE(balanced(stats()));
}

TEST_F(LeasedDrain, MeridianctlCommitsWhatItHasWritten) {
  start();
  send_whole(daemon().port(), frames_of(7, 0, 2500));
  const std::string output = directory().file("frames.ndjson");
  test::ChildProcess ctl({test::meridianctl, "--socket", daemon().socket(), "drain", "--all",
                          "--lease", "--format", "ndjson", "--output", output});
  EXPECT_EQ(ctl.wait(), 0) << ctl.err();
  EXPECT_EQ(stats().at("ledger").at("drained"), 2500);
  EXPECT_EQ(stats().at("leases").at("ended").at("committed"), 3);
}

TEST_F(LeasedDrain, MeridianctlLosesNothingWhereItCannotWrite) {
  start();
  send_whole(daemon().port(), frames_of(7, 0, 2500));
  test::ChildProcess ctl({test::meridianctl, "--socket", daemon().socket(), "drain", "--all",
                          "--lease-s", "30", "--output", "/dev/full"});
  EXPECT_NE(ctl.wait(), 0);
  EXPECT_THAT(ctl.err(), HasSubstr("/dev/full"));
  ASSERT_TRUE(eventually([&] { return stats().at("ledger").at("leased") == 0; }));
  EXPECT_EQ(stats().at("ledger").at("buffered"), 2500);
}

}  // namespace
}  // namespace meridian::test
