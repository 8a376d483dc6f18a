// meridian-sim consume against real NATS servers.
#include "integration/harness/child_process.hpp"
#include "integration/harness/daemon.hpp"
#include "integration/harness/nats_server.hpp"
#include "integration/harness/stream_client.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <signal.h>

namespace meridian {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using testing::at_most;
using testing::ChildProcess;
using testing::ConsumerState;
using testing::eventually;
using testing::Finished;
using testing::frames_of;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Json = nlohmann::json;
using testing::message_of;
using testing::NativeFrame;
using testing::NatsCluster;
using testing::NatsServer;
using testing::NatsTest;
using testing::read_big;
using testing::StreamClient;
using testing::StreamMessage;

constexpr std::size_t frames_per_message = 100;

/// Frames of a satellite from sequence `first` on, in so many messages.
std::vector<StreamMessage> messages_of(std::uint32_t satellite_id, std::uint64_t first,
                                       std::size_t count, std::size_t payload_bytes = 8) {
  std::vector<StreamMessage> messages;
  for (std::size_t i = 0; i < count; ++i) {
    messages.push_back(message_of(frames_of(satellite_id, first + i * frames_per_message,
                                            frames_per_message, payload_bytes)));
  }
  return messages;
}

/// The sequences of whole native frames at the start of what a killed program has written.
std::set<std::uint64_t> sequences_in(std::string_view octets) {
  std::set<std::uint64_t> sequences;
  while (octets.size() >= testing::native_header_bytes &&
         octets.size() >= 4 + read_big(octets, 0, 4)) {
    sequences.insert(read_big(octets, 12, 8));
    octets.remove_prefix(4 + read_big(octets, 0, 4));
  }
  return sequences;
}

class ConsumeCommand : public NatsTest {
 protected:
  static std::vector<std::string> command(const std::vector<std::string>& servers,
                                          const std::vector<std::string>& options) {
    std::vector<std::string> words{testing::meridian_sim, "consume", "--stream", "T"};
    for (const std::string& server : servers) {
      words.insert(words.end(), {"--server", server});
    }
    words.insert(words.end(), options.begin(), options.end());
    return words;
  }
};

/// With one server, which runs, and a stream T.
class Consume : public ConsumeCommand {
 protected:
  void SetUp() override {
    NatsTest::SetUp();
    if (IsSkipped()) {
      return;
    }
    server_.emplace();
    server_->start();
    client_.emplace(server_->url());
    client_->make_stream("T");
  }

  NatsServer& server() { return *server_; }
  StreamClient& client() { return *client_; }

  Finished consume(const std::vector<std::string>& options) {
    return testing::run(command({server().url()}, options));
  }
  /// What it says to a program, and its exit status beside it.
  Json result_of(std::vector<std::string> options) {
    options.emplace_back("--json");
    const Finished finished = consume(options);
    EXPECT_EQ(finished.err, "");
    Json result = Json::parse(finished.out);
    result["status"] = finished.status;
    return result;
  }
  /// A reader that goes on by itself until the frames have come.
  ChildProcess start_reader(const std::string& expected,
                            const std::vector<std::string>& more = {}) {
    std::vector<std::string> options{"--durable", "d",        "--json", "--idle-timeout",
                                     "60",        "--expect", expected};
    options.insert(options.end(), more.begin(), more.end());
    return ChildProcess(command({server().url()}, options));
  }

  /// Whether a consumer has had so many messages acknowledged, and has none out.
  bool acknowledged(std::uint64_t messages, const std::string& consumer = "d") {
    const std::optional<ConsumerState> state = client().consumer("T", consumer);
    return state && state->all_acknowledged_up_to >= messages && state->not_acknowledged == 0;
  }

  testing::TempDir directory_;

 private:
  std::optional<NatsServer> server_;
  std::optional<StreamClient> client_;
};

TEST_F(Consume, FindsNothingWrongWithWhatIsAsItShouldBe) {
  for (std::uint32_t satellite = 1; satellite <= 3; ++satellite) {
    client().publish("T", messages_of(satellite, 0, 10));
  }
  const Finished finished = consume({"--expect", "3000"});
  EXPECT_EQ(finished.status, 0);
  EXPECT_EQ(finished.err, "") << "no progress where there is no terminal";
  EXPECT_THAT(finished.out,
              AllOf(HasSubstr("read 3,000 frames, 84.0 kB, in 30 messages of 3 origins"),
                    HasSubstr("0 missing, 0 repeated, 0 out of order"), HasSubstr("0 malformed"),
                    HasSubstr("3,000 of them came")));
  EXPECT_THAT(client().consumers("T"), IsEmpty()) << "its own is gone";
}

TEST_F(Consume, ResultIsThereForProgramsToo) {
  client().publish("T", messages_of(1, 0, 2));
  const Json result = result_of({"--expect", "200"});
  EXPECT_EQ(result.at("status"), 0);
  EXPECT_EQ(result.at("frames"), 200);
  EXPECT_EQ(result.at("distinct"), 200);
  EXPECT_EQ(result.at("expected"), 200);
  EXPECT_EQ(result.at("bytes"), 200 * 28);
  EXPECT_EQ(result.at("messages"), 2);
  EXPECT_EQ(result.at("origins"), 1);
  for (const char* key : {"missing", "repeated", "out_of_order", "malformed", "redelivered"}) {
    EXPECT_EQ(result.at(key), 0) << key;
  }
  EXPECT_GT(result.at("frames_per_s"), 0);
  EXPECT_THAT(result.at("trouble"), IsEmpty());
  EXPECT_THAT(result.at("bad_messages"), IsEmpty());
}

TEST_F(Consume, FindsWhatIsMissingRepeatedAndOutOfOrder) {
  client().publish("T", messages_of(1, 0, 3));
  client().publish("T", message_of(frames_of(2, 0, 10)));
  client().publish("T", message_of(frames_of(2, 15, 10)));  // 10 to 14 are missing
  client().publish("T", message_of(frames_of(3, 0, 10)));
  client().publish("T", message_of(frames_of(3, 0, 10), "another id"));  // stored twice
  client().publish("T", message_of(frames_of(4, 20, 10)));
  client().publish("T", message_of(frames_of(4, 10, 10)));  // the other way round
  const Json result = result_of({"--expect", "350"});
  EXPECT_EQ(result.at("status"), 1);
  EXPECT_EQ(result.at("frames"), 360);
  EXPECT_EQ(result.at("distinct"), 350);
  EXPECT_EQ(result.at("missing"), 5);
  EXPECT_EQ(result.at("repeated"), 10);
  EXPECT_EQ(result.at("out_of_order"), 10);
  EXPECT_EQ(result.at("malformed"), 0);
  EXPECT_EQ(result.at("origins"), 4);
  const Json& trouble = result.at("trouble");
  ASSERT_EQ(trouble.size(), 3U);
  EXPECT_EQ(trouble[0].at("satellite_id"), 2);
  EXPECT_EQ(trouble[0].at("holes"), Json::parse("[[10, 14]]"));
  EXPECT_EQ(trouble[1].at("repeated"), 10);
  EXPECT_EQ(trouble[2].at("out_of_order"), 10);
}

TEST_F(Consume, NamesMalformedMessagesAndGoesOn) {
  const std::vector<NativeFrame> frames = frames_of(1, 0, 10);
  StreamMessage without_id = message_of(frames);
  without_id.headers.erase(without_id.headers.begin());
  StreamMessage wrong_count = message_of(frames_of(1, 10, 10));
  wrong_count.headers[1].second = "11";
  StreamMessage without_headers = message_of(frames_of(1, 20, 10));
  without_headers.headers.resize(1);
  StreamMessage two_origins = message_of(frames_of(1, 30, 10));
  two_origins.payload += encode(frames_of(2, 0, 1));
  StreamMessage garbage = message_of(frames_of(1, 40, 10));
  garbage.payload = "this is no telemetry at all, is it?";
  StreamMessage cut_off = message_of(frames_of(1, 50, 10));
  cut_off.payload.pop_back();
  StreamMessage empty = message_of(frames_of(1, 60, 10));
  empty.payload.clear();
  client().publish("T", {without_id, wrong_count, without_headers, two_origins, garbage, cut_off,
                         empty, message_of(frames_of(1, 40, 30))});
  const Json result = result_of({"--expect", "71"});
  EXPECT_EQ(result.at("status"), 1);
  EXPECT_EQ(result.at("messages"), 8);
  EXPECT_EQ(result.at("malformed"), 7);
  EXPECT_EQ(result.at("frames"), 71);
  EXPECT_EQ(result.at("missing"), 0);
  const std::vector<std::string> faults{"no Nats-Msg-Id",
                                        "Meridian-Frames is 11, not 10 as its frames say",
                                        "no Meridian-Frames",
                                        "frames of several satellites or channels",
                                        "no frame at octet 0: reserved_flags",
                                        "no whole frame at octet 252 of 279",
                                        "no frames"};
  ASSERT_EQ(result.at("bad_messages").size(), faults.size());
  for (std::size_t i = 0; i < faults.size(); ++i) {
    EXPECT_EQ(result.at("bad_messages")[i].at("stream_sequence"), i + 1);
    EXPECT_EQ(result.at("bad_messages")[i].at("fault"), faults[i]);
  }
}

TEST_F(Consume, EndsWhenNothingComesAnyMore) {
  client().publish("T", messages_of(1, 0, 1));
  const Finished finished = consume({"--expect", "101", "--idle-timeout", "0.3"});
  EXPECT_EQ(finished.status, 1);
  EXPECT_THAT(finished.out, HasSubstr("expected: 101 frames, 100 of them came"));
  EXPECT_EQ(consume({"--idle-timeout", "0.3"}).status, 0) << "nothing was expected";
}

TEST_F(Consume, WaitsForFramesThatComeLater) {
  ChildProcess reader = start_reader("300");
  ASSERT_TRUE(eventually([&] { return client().consumer("T", "d").has_value(); }));
  client().publish("T", messages_of(1, 0, 1));
  ASSERT_TRUE(eventually([&] { return acknowledged(1); }));
  client().publish("T", messages_of(1, 100, 2));
  EXPECT_EQ(reader.wait(), 0);
  EXPECT_EQ(Json::parse(reader.out()).at("frames"), 300);
}

TEST_F(Consume, SeesWhatIsRepeatedBehindAllThatWasExpected) {
  client().publish("T", messages_of(1, 0, 200));
  client().publish("T", message_of(frames_of(1, 0, 10), "another id"));
  EXPECT_EQ(result_of({"--expect", "20000"}).at("repeated"), 10);
}

TEST_F(Consume, ReadsOneSubjectOfSeveral) {
  client().publish("T", messages_of(1, 0, 2), "1.0");
  client().publish("T", messages_of(2, 0, 3), "2.0");
  const Json result = result_of({"--subject", "T.2.*", "--expect", "300"});
  EXPECT_EQ(result.at("status"), 0);
  EXPECT_EQ(result.at("frames"), 300);
}

TEST_F(Consume, WritesTheFramesToAFile) {
  client().publish("T", messages_of(1, 0, 3));
  const std::string file = directory_.file("frames");
  ASSERT_EQ(consume({"--expect", "300", "--output", file}).status, 0);
  EXPECT_EQ(testing::read_file(file), encode(frames_of(1, 0, 300)));
}

TEST_F(Consume, FailsWhereTheFileCannotBeWritten) {
  client().publish("T", messages_of(1, 0, 3));
  for (const std::string file : {"/dev/full", "/nowhere/at/all"}) {
    const Finished finished = consume({"--durable", "d", "--output", file});
    EXPECT_EQ(finished.status, 1);
    EXPECT_THAT(finished.err, HasSubstr("cannot write to " + file));
  }
  EXPECT_FALSE(acknowledged(1)) << "what is not written is not done with";
}

TEST_F(Consume, GoesOnWhereTheReaderBeforeHasEnded) {
  client().publish("T", messages_of(1, 0, 2));
  EXPECT_EQ(result_of({"--durable", "d", "--expect", "200"}).at("frames"), 200);
  EXPECT_TRUE(eventually([&] { return acknowledged(2); }));
  client().publish("T", messages_of(1, 200, 1));
  const Json second = result_of({"--durable", "d", "--expect", "100"});
  EXPECT_EQ(second.at("status"), 0);
  EXPECT_EQ(second.at("frames"), 100);
  EXPECT_EQ(result_of({"--expect", "300"}).at("frames"), 300) << "another reader has its own place";
}

TEST_F(Consume, LosesNothingWhereAReaderIsKilled) {
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
  std::set<std::uint64_t> read = sequences_in(testing::read_file(first_file));
  read.merge(sequences_in(testing::read_file(second_file)));
  EXPECT_EQ(read.size(), messages * frames_per_message);
  EXPECT_TRUE(acknowledged(messages));
}

TEST_F(Consume, KnowsTheOrderOfTheStreamWhateverIsDeliveredFirst) {
  client().publish("T", messages_of(1, 0, 30));
  client().make_consumer("T", "d", 200ms);
  client().fetch_and_forget("T", "d", 10);  // these come again, and behind the others
  const Json result = result_of({"--durable", "d", "--expect", "3000"});
  EXPECT_EQ(result.at("status"), 0) << result;
  EXPECT_EQ(result.at("frames"), 3'000);
  EXPECT_EQ(result.at("out_of_order"), 0);
  EXPECT_EQ(result.at("redelivered"), 0) << "not to this reader";
}

TEST_F(Consume, CountsFramesOnceThatAreDeliveredTwice) {
  client().publish("T", messages_of(1, 0, 200, 600));
  client().make_consumer("T", "d", 1ms);  // over before anything can be acknowledged
  const Json result = result_of({"--durable", "d", "--idle-timeout", "1"});
  EXPECT_EQ(result.at("status"), 0) << result;
  EXPECT_GT(result.at("redelivered"), 0);
  EXPECT_EQ(result.at("messages"), 200);
  EXPECT_EQ(result.at("frames"), 20'000);
  EXPECT_EQ(result.at("repeated"), 0);
}

TEST_F(Consume, GoesOnWhenTheServerIsBack) {
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

TEST_F(Consume, FailsWhereTheServerDoesNotComeBack) {
  client().publish("T", messages_of(1, 0, 5));
  ChildProcess reader(command({server().url()}, {"--durable", "d", "--idle-timeout", "1"}));
  ASSERT_TRUE(eventually([&] { return acknowledged(5); }));
  server().kill();
  EXPECT_EQ(reader.wait(at_most(30s)), 1) << "nobody knows whether there was more";
  EXPECT_THAT(reader.out(),
              AllOf(HasSubstr("read 500 frames"), HasSubstr("failed: no connection to a server")));
}

class InterruptedConsume : public Consume, public ::testing::WithParamInterface<int> {};

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

INSTANTIATE_TEST_SUITE_P(Signals, InterruptedConsume, ::testing::Values(SIGINT, SIGTERM),
                         [](const auto& each) { return each.param == SIGINT ? "INT" : "TERM"; });

TEST_F(Consume, RefusesWhatIsNotThere) {
  const std::string nowhere = testing::BoundSocket::reserved_port().address();
  const Finished no_server = testing::run(command({"nats://" + nowhere}, {}));
  EXPECT_EQ(no_server.status, 1);
  EXPECT_THAT(no_server.err, AllOf(HasSubstr("cannot connect to nats://" + nowhere),
                                   HasSubstr("No server available")));
  const Finished no_stream = testing::run(
      {testing::meridian_sim, "consume", "--server", server().url(), "--stream", "other"});
  EXPECT_EQ(no_stream.status, 1);
  EXPECT_THAT(no_stream.err, HasSubstr("cannot read stream other: stream not found"));
  const Finished no_file = consume({"--credentials", directory_.file("none.creds")});
  EXPECT_EQ(no_file.status, 1);
  EXPECT_THAT(no_file.err, AllOf(HasSubstr("none.creds"), HasSubstr("No such file")));
}

TEST_F(Consume, RefusesAConsumerOfAnotherKind) {
  client().make_consumer("T", "pushed", 30s, "somewhere");
  client().make_consumer("T", "all", 30s);
  const Finished pushed = consume({"--durable", "pushed"});
  EXPECT_EQ(pushed.status, 1);
  EXPECT_THAT(pushed.err, HasSubstr("consumer pushed cannot be used: it is no pull consumer"));
  const Finished filtered = consume({"--durable", "all", "--subject", "T.1.>"});
  EXPECT_EQ(filtered.status, 1);
  EXPECT_THAT(filtered.err, HasSubstr("consumer all cannot be used: it reads all subjects"));
}

TEST(ConsumeAlone, RefusesWrongArguments) {
  const std::vector<std::vector<std::string>> wrong = {
      {"consume"},
      {"consume", "--stream", ""},
      {"consume", "--stream", "a.b"},
      {"consume", "--stream", "a b"},
      {"consume", "--stream", "T", "--durable", "a.b"},
      {"consume", "--stream", "T", "--durable", ""},
      {"consume", "--stream", "T", "--expect", "-1"},
      {"consume", "--stream", "T", "--idle-timeout", "0"},
      {"consume", "--stream", "T", "--idle-timeout", "nan"},
      {"consume", "--stream", "T", "--output", ""},
      {"consume", "--stream", "T", "--uplinks", "3"},
      {"--uplinks", "3", "consume", "--stream", "T"},
      {"--json", "consume", "--stream", "T"}};
  for (std::vector<std::string> words : wrong) {
    words.insert(words.begin(), testing::meridian_sim);
    const Finished finished = testing::run(words);
    EXPECT_NE(finished.status, 0) << fmt::format("{}", fmt::join(words, " "));
    EXPECT_NE(finished.err, "");
    EXPECT_EQ(finished.out, "");
  }
}

class ConsumeWithPassword : public ConsumeCommand {};

TEST_F(ConsumeWithPassword, GoesInWithTheRightOneOnly) {
  NatsServer server({.lines = "authorization { users: [{ user: reader, password: secret }] }"});
  server.start();
  StreamClient client(server.url("reader:secret"));
  client.make_stream("T");
  client.publish("T", messages_of(1, 0, 1));
  EXPECT_EQ(testing::run(command({server.url("reader:secret")}, {"--expect", "100"})).status, 0);
  for (const std::string user : {"reader:wrong", ""}) {
    const Finished refused = testing::run(command({server.url(user)}, {}));
    EXPECT_EQ(refused.status, 1);
    EXPECT_THAT(refused.err, HasSubstr("Authorization"));
    EXPECT_THAT(refused.err, ::testing::Not(HasSubstr("wrong"))) << "passwords are not shown";
  }
}

class ConsumeFromCluster : public ConsumeCommand {};

TEST_F(ConsumeFromCluster, GoesOnWhereTheLeaderDies) {
  NatsCluster cluster;
  std::optional<StreamClient> client(std::in_place, cluster.at(0).url());
  client->make_stream("T", 3);
  client->publish("T", messages_of(1, 0, 20));
  ChildProcess reader(command(
      cluster.urls(), {"--durable", "d", "--json", "--idle-timeout", "60", "--expect", "4000"}));
  ASSERT_TRUE(eventually([&] {
    const auto state = client->consumer("T", "d");
    return state && state->all_acknowledged_up_to == 20;
  }));
  const std::string leader = cluster.leader_of("T");
  ASSERT_NE(leader, "");
  cluster.named(leader).kill();
  ASSERT_TRUE(eventually(
      [&] {
        const std::string next = cluster.leader_of("T");
        return !next.empty() && next != leader;
      },
      at_most(30s)));
  client.emplace(cluster.named(cluster.leader_of("T")).url());
  client->publish("T", messages_of(1, 2'000, 20));
  EXPECT_EQ(reader.wait(at_most(60s)), 0);
  const Json result = Json::parse(reader.out());
  EXPECT_EQ(result.at("frames"), 4'000);
  EXPECT_EQ(result.at("repeated"), 0);
  EXPECT_EQ(result.at("missing"), 0);
}

}  // namespace
}  // namespace meridian
