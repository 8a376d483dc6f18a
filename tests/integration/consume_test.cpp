// meridian-sim consume against real NATS servers.
#include "integration/harness/consume.hpp"

#include "integration/harness/certificate.hpp"
#include "integration/harness/nats_credentials.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace meridian::test {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using Json = nlohmann::json;
using testing::Not;

class Consume : public ConsumeTest {};

TEST_F(Consume, FindsNothingWrongInASoundStream) {
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

TEST_F(Consume, FindsMissingRepeatedAndDisorderedFrames) {
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

TEST_F(Consume, SeesRepetitionsAfterTheExpectedFrames) {
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
  EXPECT_EQ(test::read_file(file), encode(frames_of(1, 0, 300)));
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

TEST_F(Consume, RefusesWhatIsNotThere) {
  const std::string nowhere = test::BoundSocket::reserved_port().address();
  const Finished no_server = test::run(command({"nats://" + nowhere}, {}));
  EXPECT_EQ(no_server.status, 1);
  EXPECT_THAT(no_server.err, AllOf(HasSubstr("cannot connect to nats://" + nowhere),
                                   HasSubstr("No server available")));
  const Finished no_stream =
      test::run({test::meridian_sim, "consume", "--server", server().url(), "--stream", "other"});
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
  EXPECT_THAT(pushed.err, HasSubstr("consumer pushed cannot be used: it is not a pull consumer"));
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
    words.insert(words.begin(), test::meridian_sim);
    const Finished finished = test::run(words);
    EXPECT_NE(finished.status, 0) << fmt::format("{}", fmt::join(words, " "));
    EXPECT_NE(finished.err, "");
    EXPECT_EQ(finished.out, "");
  }
}

class ConsumeSecured : public ConsumeCommand {};

TEST_F(ConsumeSecured, GoesInWithTheRightPasswordOnly) {
  NatsServer server({.lines = "authorization { users: [{ user: reader, password: secret }] }"});
  server.start();
  StreamClient client(server.url("reader:secret"));
  client.make_stream("T");
  client.publish("T", messages_of(1, 0, 1));
  EXPECT_EQ(test::run(command({server.url("reader:secret")}, {"--expect", "100"})).status, 0);
  for (const std::string user : {"reader:wrong", ""}) {
    const Finished refused = test::run(command({server.url(user)}, {}));
    EXPECT_EQ(refused.status, 1);
    EXPECT_THAT(refused.err, HasSubstr("Authorization"));
    EXPECT_THAT(refused.err, Not(HasSubstr("wrong"))) << "passwords are not shown";
  }
}

TEST_F(ConsumeSecured, DecodesAPassword) {
  NatsServer server({.lines = "authorization { users: [{ user: reader, password: \"p@ss%\" }] }"});
  server.start();
  const std::string url = server.url("reader:p%40ss%25");
  const std::string nobody = "nats://" + test::BoundSocket::reserved_port().address();
  const Finished without_a_stream = test::run(command({nobody, url}, {"--idle-timeout", "0.1"}));
  EXPECT_THAT(without_a_stream.err, Not(HasSubstr("Authorization")));
  EXPECT_THAT(without_a_stream.err, HasSubstr("stream")) << "it was let in";
  const Finished unreadable = test::run(command({server.url("reader:p%ss")}, {}));
  EXPECT_EQ(unreadable.status, 1);
  EXPECT_THAT(unreadable.err, HasSubstr("%25"));
  EXPECT_THAT(unreadable.err, Not(HasSubstr("p%ss")));
  const Finished different = test::run(command({url, server.url("other:secret")}, {}));
  EXPECT_EQ(different.status, 1);
  EXPECT_THAT(different.err, HasSubstr("same user"));
}

TEST_F(ConsumeSecured, AcceptsCredentialsOfATrustedOperatorOnly) {
  const test::NatsOperator trusted;
  const test::TempDir directory;
  NatsServer server({.lines = trusted.configuration()});
  server.start();
  const std::string good = directory.write("good.creds", trusted.new_user());
  const std::string foreign = directory.write("foreign.creds", test::NatsOperator().new_user());
  StreamClient client(server.url(), good);
  client.make_stream("T");
  client.publish("T", messages_of(1, 0, 1));
  const Finished let_in =
      test::run(command({server.url()}, {"--credentials", good, "--expect", "100"}));
  EXPECT_EQ(let_in.status, 0) << let_in.err;
  const Finished refused = test::run(command({server.url()}, {"--credentials", foreign}));
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, HasSubstr("Authorization"));
}

TEST_F(ConsumeSecured, TrustsTheCertificatesThatItIsGiven) {
  const test::TempDir directory;
  const test::Certificate own = make_certificate(directory, "own", "IP:127.0.0.1");
  const test::Certificate other = make_certificate(directory, "other", "IP:127.0.0.1");
  NatsServer server({.lines = fmt::format("tls {{ cert_file: \"{}\", key_file: \"{}\" }}",
                                          own.certificate_file, own.key_file)});
  server.start();
  const Finished let_in = test::run(command({server.url()}, {"--tls-ca", own.certificate_file}));
  EXPECT_THAT(let_in.err, HasSubstr("stream not found")) << "it has got so far";
  const std::string not_trusted = other.certificate_file;
  for (const auto& options :
       {std::vector<std::string>{}, std::vector<std::string>{"--tls-ca", not_trusted}}) {
    const Finished refused = test::run(command({server.url()}, options));
    EXPECT_EQ(refused.status, 1);
    EXPECT_THAT(refused.err, AllOf(HasSubstr("cannot connect"), HasSubstr("certificate")));
  }
}

}  // namespace
}  // namespace meridian::test
