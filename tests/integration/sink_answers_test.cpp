// What a sink takes for an acknowledgement: where another client than the stream answers, nothing
// counts as delivered.
#include "integration/harness/fake_stream.hpp"
#include "integration/harness/sinks.hpp"
#include "integration/harness/test_sink.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace meridian::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string base64(const std::string& octets) {
  std::string text((octets.size() + 2) / 3 * 4 + 1, '\0');  // the last octet is a terminating zero
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                  reinterpret_cast<const unsigned char*>(octets.data()),
                  static_cast<int>(octets.size()));
  text.pop_back();
  return text;
}

FakeStream::Answer always(const std::string& answer) {
  return [answer](const PublishedMessage& /*message*/) { return answer; };
}

struct Answered {
  std::string name;
  std::string answer;
  std::string fate;
};

class SinkAnswer : public test::NatsTest, public testing::WithParamInterface<Answered> {};

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
    testing::Values(
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

/// The answer to whoever asks for a message of the stream.
std::string stored_answer(const std::string& id, const std::string& payload,
                          std::uint64_t sequence = 5) {
  return R"({"message":{"subject":"meridian.7.0","seq":)" + std::to_string(sequence) +
         R"(,"hdrs":")" + base64("NATS/1.0\r\nNats-Msg-Id: " + id + "\r\n\r\n") + R"(","data":")" +
         base64(payload) + R"(","time":"2026-01-01T00:00:00Z"}})";
}

constexpr const char* nothing_stored =
    R"({"error":{"code":404,"err_code":10037,"description":"no message found"}})";

class SinkBesideAnotherClient : public test::SinkTest {};

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

/// A stream that knows the first id of each message already, and does not have the message.
class SinkAndAFalseDuplicate : public test::SinkTest {
 protected:
  static constexpr std::uint64_t frames = 10;

  void SetUp() override {
    SinkTest::SetUp();
    if (IsSkipped()) {
      return;
    }
    server_.start();
    stream_.emplace(server_.url(), always(duplicate));
    start_sinks({sink_into({server_.url()})});
    ASSERT_TRUE(comes_to_say("")) << sink();
  }

  void send_one_message() {
    UplinkClient uplink(daemon().port());
    send_as_batch(uplink, frames_of(7, 0, frames));
    uplink.finish();
  }

  FakeStream& stream() { return *stream_; }

  static constexpr const char* duplicate = R"({"stream":"TELEMETRY","seq":5,"duplicate":true})";

 private:
  NatsServer server_{{.jet_stream = false}};
  std::optional<FakeStream> stream_;
};

TEST_F(SinkAndAFalseDuplicate, SaysSoAndCountsNothingAsDelivered) {
  send_one_message();
  ASSERT_TRUE(comes_to_say("false_duplicate")) << sink();
  ASSERT_TRUE(eventually([&] { return figure("/refused/false_duplicate") >= 3; })) << sink();
  EXPECT_EQ(delivered(), 0U);
  EXPECT_EQ(figure("/acknowledged/duplicates"), 0U);
  EXPECT_EQ(ledger().at("buffered"), frames);
}

TEST_F(SinkAndAFalseDuplicate, PublishesTheMessageUnderAnotherId) {
  stream().set_answer([first = std::string()](const PublishedMessage& message) mutable {
    first = first.empty() ? message.id : first;
    return message.id == first ? duplicate : R"({"stream":"TELEMETRY","seq":6})";
  });
  send_one_message();
  ASSERT_TRUE(comes_to_deliver(frames)) << sink();
  EXPECT_TRUE(comes_to_say("")) << sink();
  const std::vector<PublishedMessage> published = stream().published();
  ASSERT_EQ(published.size(), 2U);
  EXPECT_NE(published[0].id, published[1].id);
  EXPECT_EQ(published[0].payload, published[1].payload);
  EXPECT_EQ(figure("/refused/false_duplicate"), 1U);
  EXPECT_EQ(figure("/acknowledged/messages"), 1U);
  EXPECT_EQ(figure("/acknowledged/duplicates"), 0U);
  EXPECT_THAT(stream().asked(), ElementsAre(R"({"seq":5})")) << "it looked before";
}

TEST_F(SinkAndAFalseDuplicate, SeesThatTheSameIdHasOtherFrames) {
  stream().set_stored([this](const std::string& /*request*/) {
    return stored_answer(stream().published().front().id, "other frames");
  });
  send_one_message();
  ASSERT_TRUE(eventually([&] { return stream().published().size() >= 3; })) << sink();
  EXPECT_EQ(delivered(), 0U);
}

TEST_F(SinkAndAFalseDuplicate, TakesWhatItFindsForStored) {
  stream().set_stored([this](const std::string& /*request*/) {
    const PublishedMessage message = stream().published().front();
    return stored_answer(message.id, message.payload);
  });
  send_one_message();
  ASSERT_TRUE(comes_to_deliver(frames)) << sink();
  EXPECT_EQ(stream().published().size(), 1U);
  EXPECT_EQ(figure("/refused/false_duplicate"), 1U) << "a message that was published once";
}

/// A stream that says of a message whose first answer said nothing, and of each that is tried
/// again, that it has it already.
class SinkAndARepetition : public SinkAndAFalseDuplicate {
 protected:
  void SetUp() override {
    SinkAndAFalseDuplicate::SetUp();
    if (IsSkipped()) {
      return;
    }
    stream().set_answer([first = true](const PublishedMessage& /*message*/) mutable {
      return std::exchange(first, false) ? "{}" : duplicate;
    });
  }
};

constexpr const char* at_sequence_5 = R"({"seq":5})";
constexpr const char* last_of_the_subject = R"({"last_by_subj":"meridian.7.0"})";

TEST_F(SinkAndARepetition, KeepsItsIdWhenALookUpFails) {
  // Where it looks at the sequence for the first time there is no leader; later there is nothing.
  stream().set_stored([this, looks = 0](const std::string& request) mutable -> std::string {
    if (request == at_sequence_5) {
      return ++looks == 1 ? R"({"error":{"code":503,"err_code":10008,"description":"no leader"}})"
                          : nothing_stored;
    }
    const PublishedMessage message = stream().published().front();
    return looks == 0 ? nothing_stored : stored_answer(message.id, message.payload);
  });
  send_one_message();
  ASSERT_TRUE(comes_to_deliver(frames)) << sink();
  EXPECT_THAT(stream().asked(),
              ElementsAre(last_of_the_subject, at_sequence_5, last_of_the_subject));
  const std::vector<PublishedMessage> published = stream().published();
  ASSERT_EQ(published.size(), 2U);
  EXPECT_EQ(published[0].id, published[1].id);
  EXPECT_EQ(figure("/refused/false_duplicate"), 0U);
}

/// Nothing is at the sequence 5, at which the message is said to be.
struct Removal {
  std::string name;
  FakeStream::Facts stream;
  std::optional<std::uint64_t> last_of_subject;
  bool is_believed = false;
};

class SinkAndARemovedMessage : public SinkAndARepetition,
                               public testing::WithParamInterface<Removal> {};

TEST_P(SinkAndARemovedMessage, IsDeliveredOnlyIfItCanHaveExisted) {
  stream().set_facts(GetParam().stream);
  stream().set_stored([](const std::string& request) -> std::string {
    const auto last = GetParam().last_of_subject;
    return request != at_sequence_5 && last ? stored_answer("of others", "frames", *last)
                                            : nothing_stored;
  });
  send_one_message();
  if (GetParam().is_believed) {
    ASSERT_TRUE(comes_to_deliver(frames)) << sink();
    EXPECT_EQ(stream().published().size(), 2U);
    EXPECT_EQ(figure("/acknowledged/duplicates"), 1U);
    EXPECT_EQ(figure("/refused/false_duplicate"), 0U);
  } else {
    ASSERT_TRUE(comes_to_say("false_duplicate")) << sink();
    EXPECT_EQ(delivered(), 0U);
    EXPECT_EQ(ledger().at("buffered"), frames);
  }
}

FakeStream::Facts up_to_ten(std::uint64_t first, std::uint64_t last) {
  return {.discard = "old", .max_messages = 10, .first_sequence = first, .last_sequence = last};
}

FakeStream::Facts one_of_each_subject() {
  return {
      .discard = "old", .max_messages_per_subject = 1, .first_sequence = 1, .last_sequence = 20};
}

FakeStream::Facts for_readers(const std::string& retention, std::uint64_t last) {
  return {.retention = retention, .first_sequence = last + 1, .last_sequence = last};
}

INSTANTIATE_TEST_SUITE_P(
    Each, SinkAndARemovedMessage,
    testing::Values(
        Removal{"BeforeTheFirst", up_to_ten(6, 15), std::nullopt, true},
        Removal{"BehindTheFirst", up_to_ten(5, 14), std::nullopt, false},
        Removal{"BehindTheLast", up_to_ten(1, 3), std::nullopt, false},
        Removal{"WhereNothingIsRemoved",
                {.max_messages = 10, .first_sequence = 6, .last_sequence = 15},
                std::nullopt,
                false},
        Removal{"BeforeTheLastOfItsSubject", one_of_each_subject(), 9, true},
        Removal{"BehindTheLastOfItsSubject", one_of_each_subject(), 4, false},
        Removal{"OfASubjectWithoutMessages", one_of_each_subject(), std::nullopt, false},
        Removal{"OfAWorkQueue", for_readers("workqueue", 5), std::nullopt, true},
        Removal{"BehindTheLastOfAWorkQueue", for_readers("workqueue", 4), std::nullopt, false},
        Removal{"OfInterest", for_readers("interest", 5), std::nullopt, true},
        Removal{"BehindTheLastOfInterest", for_readers("interest", 4), std::nullopt, false}),
    [](const auto& removal) { return removal.param.name; });

}  // namespace
}  // namespace meridian::test
