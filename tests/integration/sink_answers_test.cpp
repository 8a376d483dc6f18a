// What a sink takes for an acknowledgement: where another client than the stream answers, nothing
// counts as delivered.
#include "integration/harness/fake_stream.hpp"
#include "integration/harness/sinks.hpp"
#include "integration/harness/test_sink.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>

namespace meridian {
namespace {

using testing::eventually;
using testing::FakeStream;
using testing::frames_of;
using ::testing::HasSubstr;
using testing::message_of;
using testing::NatsServer;
using testing::PublishedMessage;
using testing::send_whole;
using testing::sink_into;
using testing::sink_options;
using testing::TestSink;

FakeStream::Answer always(const std::string& answer) {
  return [answer](const PublishedMessage& /*message*/) { return answer; };
}

struct Answered {
  std::string name;
  std::string answer;
  std::string fate;
};

class SinkAnswer : public testing::NatsTest, public ::testing::WithParamInterface<Answered> {};

TEST_P(SinkAnswer, IsJudged) {
  NatsServer server({.jet_stream = false});
  server.start();
  const FakeStream stream(server.url(), always(GetParam().answer));
  TestSink sink(sink_options({server.url()}));
  ASSERT_TRUE(sink.connected());
  EXPECT_EQ(sink.fate(sink.publish(message_of("id", 1, 1))), GetParam().fate);
}

INSTANTIATE_TEST_SUITE_P(
    Each, SinkAnswer,
    ::testing::Values(
        Answered{"Good", R"({"stream":"TELEMETRY","seq":1})", "acknowledged"},
        Answered{"Large", R"({"stream":"TELEMETRY","seq":9223372036854775807})", "acknowledged"},
        Answered{"Repeated", R"({"stream":"TELEMETRY","seq":7,"duplicate": true})", "duplicate"},
        Answered{"Empty", "", "bad_acknowledgement"},
        Answered{"NoJson", "+OK", "bad_acknowledgement"},
        Answered{"NoObject", "[]", "bad_acknowledgement"},
        Answered{"EmptyObject", "{}", "bad_acknowledgement"},
        Answered{"NoStream", R"({"seq":1})", "bad_acknowledgement"},
        Answered{"NoSequence", R"({"stream":"TELEMETRY"})", "bad_acknowledgement"},
        Answered{"NoSequenceOfARepetition", R"({"stream":"TELEMETRY","seq":0,"duplicate":true})",
                 "bad_acknowledgement"},
        Answered{"Zero", R"({"stream":"TELEMETRY","seq":0})", "bad_acknowledgement"},
        Answered{"Negative", R"({"stream":"TELEMETRY","seq":-1})", "bad_acknowledgement"},
        Answered{"VeryNegative", R"({"stream":"TELEMETRY","seq":-9223372036854775808})",
                 "bad_acknowledgement"},
        Answered{"TooLarge", R"({"stream":"TELEMETRY","seq":18446744073709551615})",
                 "bad_acknowledgement"},
        Answered{"Text", R"({"stream":"TELEMETRY","seq":"1"})", "bad_acknowledgement"},
        Answered{"AnotherStream", R"({"stream":"OTHER","seq":1})", "bad_acknowledgement"},
        Answered{"LongerStream", R"({"stream":"TELEMETRY2","seq":1})", "bad_acknowledgement"},
        Answered{"NoText", R"({"stream":5,"seq":1})", "bad_acknowledgement"},
        Answered{"Error",
                 R"({"error":{"code":503,"err_code":10077,"description":"maximum bytes exceeded"},)"
                 R"("stream":"TELEMETRY","seq":1})",
                 "stream_full"},
        Answered{"ErrorWithoutCode",
                 R"({"error":{"code":503,"description":"raft: not leader"},)"
                 R"("stream":"TELEMETRY","seq":0})",
                 "other"}),
    [](const auto& answered) { return answered.param.name; });

class SinkBesideAnotherClient : public testing::SinkTest {};

TEST_F(SinkBesideAnotherClient, CountsNothingAsDeliveredUntilTheStreamAnswers) {
  constexpr std::uint64_t frames = 100;
  NatsServer server({.jet_stream = false});
  server.start();
  FakeStream stream(server.url(), always("{}"));
  start_sinks({sink_into({server.url()})});
  send_whole(daemon().port(), frames_of(7, 0, frames));
  ASSERT_TRUE(comes_to_say("bad_acknowledgement")) << sink();
  ASSERT_TRUE(eventually([&] { return figure("/refused/bad_acknowledgement") >= 3; })) << sink();
  EXPECT_THAT(sink().at("problem").at("message"), HasSubstr("meridian.7.0"));
  EXPECT_EQ(delivered(), 0U);
  EXPECT_EQ(ledger().at("buffered"), frames);
  stream.set_answer(always(R"({"stream":"TELEMETRY","seq":1})"));
  EXPECT_TRUE(comes_to_deliver(frames)) << sink();
  EXPECT_TRUE(comes_to_say("")) << sink();
}

}  // namespace
}  // namespace meridian
