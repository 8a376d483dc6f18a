// meridian-sim consume, its readers and its servers, coming and going.
#include "integration/harness/consume.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include <signal.h>

namespace meridian::test {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using Json = nlohmann::json;

/// The sequences of whole native frames at the start of what a killed program has written.
std::set<std::uint64_t> sequences_in(std::string_view octets) {
  std::set<std::uint64_t> sequences;
  while (octets.size() >= test::native_header_bytes &&
         octets.size() >= 4 + read_big(octets, 0, 4)) {
    sequences.insert(read_big(octets, 12, 8));
    octets.remove_prefix(4 + read_big(octets, 0, 4));
  }
  return sequences;
}

class ConsumeAgain : public ConsumeTest {};

TEST_F(ConsumeAgain, GoesOnWhereTheReaderBeforeHasEnded) {
  client().publish("T", messages_of(1, 0, 2));
  EXPECT_EQ(result_of({"--durable", "d", "--expect", "200"}).at("frames"), 200);
  EXPECT_TRUE(eventually([&] { return acknowledged(2); }));
  client().publish("T", messages_of(1, 200, 1));
  const Json second = result_of({"--durable", "d", "--expect", "100"});
  EXPECT_EQ(second.at("status"), 0);
  EXPECT_EQ(second.at("frames"), 100);
  EXPECT_EQ(result_of({"--expect", "300"}).at("frames"), 300) << "another reader has its own place";
}

TEST_F(ConsumeAgain, LosesNothingWhereAReaderIsKilled) {
  constexpr std::size_t messages = 2'000;
  client().publish("T", messages_of(1, 0, messages, 64));
  const std::string first_file = directory_.file("first");
  // It would not end by itself, however fast it is.
  const std::string more = std::to_string(messages * frames_per_message + 1);
  ChildProcess first = start_reader(more, {"--output", first_file});
  ASSERT_TRUE(eventually([&] {
    const auto state = client().consumer("T", "d");
    return state && state->all_acknowledged_up_to > 0;
  }));
  first.signal(SIGKILL);
  EXPECT_EQ(first.wait(), 128 + SIGKILL);

  const std::string second_file = directory_.file("second");
  const Json second = result_of({"--durable", "d", "--idle-timeout", "4", "--output", second_file});
  EXPECT_EQ(second.at("status"), 0) << second;
  EXPECT_LT(second.at("messages"), messages);
  std::set<std::uint64_t> read = sequences_in(test::read_file(first_file));
  read.merge(sequences_in(test::read_file(second_file)));
  EXPECT_EQ(read.size(), messages * frames_per_message);
  EXPECT_TRUE(acknowledged(messages));
}

TEST_F(ConsumeAgain, SeesStreamOrderDespiteTheOrderOfDelivery) {
  client().publish("T", messages_of(1, 0, 30));
  client().make_consumer("T", "d", 200ms);
  client().fetch_and_forget("T", "d", 10);  // these come again, and behind the others
  const Json result = result_of({"--durable", "d", "--expect", "3000"});
  EXPECT_EQ(result.at("status"), 0) << result;
  EXPECT_EQ(result.at("frames"), 3'000);
  EXPECT_EQ(result.at("out_of_order"), 0);
  EXPECT_EQ(result.at("redelivered"), 0) << "not to this reader";
}

TEST_F(ConsumeAgain, CountsFramesOnceThatAreDeliveredTwice) {
  client().publish("T", messages_of(1, 0, 200, 600));
  client().make_consumer("T", "d", 1ms);  // over before anything can be acknowledged
  const Json result = result_of({"--durable", "d", "--idle-timeout", "1"});
  EXPECT_EQ(result.at("status"), 0) << result;
  EXPECT_GT(result.at("redelivered"), 0);
  EXPECT_EQ(result.at("messages"), 200);
  EXPECT_EQ(result.at("frames"), 20'000);
  EXPECT_EQ(result.at("repeated"), 0);
}

TEST_F(ConsumeAgain, GoesOnWhenTheServerIsBack) {
  client().publish("T", messages_of(1, 0, 5));
  ChildProcess reader = start_reader("1000");
  ASSERT_TRUE(eventually([&] { return acknowledged(5); }));
  server().kill();
  server().start();
  StreamClient(server().url()).publish("T", messages_of(1, 500, 5));
  EXPECT_EQ(reader.wait(at_most(30s)), 0);
  const Json result = Json::parse(reader.out());
  EXPECT_EQ(result.at("frames"), 1'000);
  EXPECT_EQ(result.at("repeated"), 0);
}

TEST_F(ConsumeAgain, FailsWhereTheServerDoesNotComeBack) {
  client().publish("T", messages_of(1, 0, 5));
  ChildProcess reader(command({server().url()}, {"--durable", "d", "--idle-timeout", "1"}));
  ASSERT_TRUE(eventually([&] { return acknowledged(5); }));
  server().kill();
  EXPECT_EQ(reader.wait(at_most(30s)), 1) << "nobody knows whether there was more";
  EXPECT_THAT(reader.out(), HasSubstr("read 500 frames"));
  EXPECT_THAT(reader.err(), HasSubstr("meridian-sim: failed: no connection to a server"));
}

TEST_F(ConsumeAgain, FailsWhereItsConsumerIsRemoved) {
  client().publish("T", messages_of(1, 0, 5));
  ChildProcess reader(command({server().url()}, {"--durable", "d", "--idle-timeout", "1"}));
  ASSERT_TRUE(eventually([&] { return acknowledged(5); }));
  client().remove_consumer("T", "d");
  EXPECT_EQ(reader.wait(at_most(30s)), 1);
  EXPECT_THAT(reader.out(), HasSubstr("read 500 frames"));
  EXPECT_THAT(reader.err(),
              AllOf(HasSubstr("meridian-sim: failed: cannot "), HasSubstr("consumer d: ")));
}

TEST_F(ConsumeAgain, FailsWhereAnotherReaderHasMessages) {
  client().publish("T", messages_of(1, 0, 10));
  client().make_consumer("T", "d", 60s);
  client().fetch_and_forget("T", "d", 3);
  const Json result = result_of({"--durable", "d", "--idle-timeout", "0.5"});
  EXPECT_EQ(result.at("status"), 1);
  EXPECT_EQ(result.at("messages"), 7);
  EXPECT_EQ(result.at("failure"),
            "3 messages were delivered to a reader that did not acknowledge them");
}

class InterruptedConsume : public ConsumeTest, public testing::WithParamInterface<int> {};

TEST_P(InterruptedConsume, AcknowledgesAndReportsWhatItHasRead) {
  client().publish("T", messages_of(1, 0, 5));
  ChildProcess reader(command({server().url()}, {"--durable", "d", "--idle-timeout", "60"}));
  ASSERT_TRUE(eventually([&] { return acknowledged(5); }));
  reader.signal(GetParam());
  EXPECT_EQ(reader.wait(at_most(5s)), 0) << "nothing more was expected";
  EXPECT_THAT(reader.out(), HasSubstr("read 500 frames"));
}

TEST_P(InterruptedConsume, FailsWhereMoreWasExpected) {
  client().publish("T", messages_of(1, 0, 5));
  ChildProcess reader = start_reader("501");
  ASSERT_TRUE(eventually([&] { return acknowledged(5); }));
  reader.signal(GetParam());
  EXPECT_EQ(reader.wait(at_most(5s)), 1);
  EXPECT_EQ(Json::parse(reader.out()).at("frames"), 500);
}

INSTANTIATE_TEST_SUITE_P(Signals, InterruptedConsume, testing::Values(SIGINT, SIGTERM),
                         [](const auto& each) { return each.param == SIGINT ? "INT" : "TERM"; });

class ConsumeFromCluster : public ConsumeCommand {};

TEST_F(ConsumeFromCluster, GoesOnWhereTheLeaderDies) {
  NatsCluster cluster;
  std::optional<StreamClient> client(std::in_place, cluster.at(0).url());
  client->make_stream("T", 3);
  client->publish("T", messages_of(1, 0, 20));
  ChildProcess reader(command(
      cluster.urls(), {"--durable", "d", "--json", "--idle-timeout", "60", "--expect", "4000"}));
  ASSERT_TRUE(eventually(
      [&] {
        const auto state = client->consumer("T", "d");
        return state && state->all_acknowledged_up_to == 20;
      },
      at_most(30s)));
  const std::string leader = cluster.leader_of("T");
  ASSERT_NE(leader, "");
  cluster.named(leader).kill();
  std::string next;
  ASSERT_TRUE(eventually(
      [&] {
        next = cluster.leader_of("T");
        return !next.empty() && next != leader;
      },
      at_most(30s)));
  client.emplace(cluster.named(next).url());
  client->publish("T", messages_of(1, 2'000, 20));
  EXPECT_EQ(reader.wait(at_most(60s)), 0);
  const Json result = Json::parse(reader.out());
  EXPECT_EQ(result.at("frames"), 4'000);
  EXPECT_EQ(result.at("repeated"), 0);
  EXPECT_EQ(result.at("missing"), 0);
}

}  // namespace
}  // namespace meridian::test
