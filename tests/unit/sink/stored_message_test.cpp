// What a server answers who is asked for a message of a stream.
#include "sink/jetstream/stored_message.hpp"

#include "unit/frame/frame_samples.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace meridian::test {

using namespace sink;
using namespace sink::jetstream;

namespace {

/// As a server has it, with both texts in base64.
std::string answer_with(const std::string& headers, const std::string& data) {
  return R"({"type":"io.nats.jetstream.api.v1.stream_msg_get_response","message":{)"
         R"("subject":"meridian.7.3","seq":5,"hdrs":")" +
         headers + R"(","data":")" + data + R"(","time":"2026-01-01T00:00:00Z"}})";
}

// "NATS/1.0\r\nNats-Msg-Id: archive.e.1.3\r\nMeridian-Frames: 3\r\n\r\n"
constexpr const char* headers =
    "TkFUUy8xLjANCk5hdHMtTXNnLUlkOiBhcmNoaXZlLmUuMS4zDQpNZXJpZGlhbi1GcmFtZXM6IDMNCg0K";

TEST(StoredMessages, AreReadWithTheirIds) {
  const auto read = read_stored(answer_with(headers, "b25l"));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(*read, (StoredMessage{.id = "archive.e.1.3", .payload = "one"}));
}

TEST(StoredMessages, OfAnyLengthAreRead) {
  EXPECT_EQ((*read_stored(answer_with(headers, "")))->payload, "");
  EXPECT_EQ((*read_stored(answer_with(headers, "bw==")))->payload, "o");
  EXPECT_EQ((*read_stored(answer_with(headers, "b24=")))->payload, "on");
  EXPECT_EQ((*read_stored(answer_with(headers, "AP8A")))->payload, std::string("\0\xFF\0", 3));
}

TEST(StoredMessages, OfOthersHaveNoId) {
  EXPECT_EQ((*read_stored(answer_with("", "b25l")))->id, "");
  // "NATS/1.0\r\nX-Nats-Msg-Id: a\r\n\r\n"
  EXPECT_EQ((*read_stored(answer_with("TkFUUy8xLjANClgtTmF0cy1Nc2ctSWQ6IGENCg0K", "b25l")))->id,
            "");
}

TEST(StoredMessages, ThatAreNotThereAreNoError) {
  const auto read =
      read_stored(R"({"error":{"code":404,"err_code":10037,"description":"no message found"}})");
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(*read, std::nullopt);
}

TEST(StoredMessages, WhatTheServerSaysAgainstItIsTold) {
  const auto missing =
      read_stored(R"({"error":{"code":404,"err_code":10059,"description":"stream not found"}})");
  EXPECT_EQ(missing.error(), (nats::Rejection{nats::Refusal::stream_missing, "stream not found"}));
  EXPECT_EQ(read_stored(R"({"error":{"code":503,"err_code":10008}})").error().refusal,
            nats::Refusal::stream_unavailable);
  EXPECT_EQ(read_stored(R"({"error":{}})").error().refusal, nats::Refusal::other);
}

class BadAnswers : public testing::TestWithParam<std::string> {};

TEST_P(BadAnswers, AreRefused) {
  EXPECT_EQ(read_stored(GetParam()).error().refusal, nats::Refusal::bad_acknowledgement)
      << GetParam();
}

INSTANTIATE_TEST_SUITE_P(Each, BadAnswers,
                         testing::Values("", "no JSON", "[]", "{}", R"({"message":[]})",
                                         R"({"error":"no"})", answer_with("", "b25"),
                                         answer_with("*", "b25l"), answer_with("", "b2*l"),
                                         R"({"message":{"data":"b25l")",
                                         std::string(100'000, '[')));

Message message_of_two_parts() {
  std::vector<FrameBatch> parts;
  parts.push_back(test::batch_of_run({7, 3}, 0, 2, 80));
  parts.push_back(test::batch_of_run({7, 3}, 2, 1, 80));
  return make_message("archive.e.1.3", std::move(parts));
}

StoredMessage stored_as(const Message& message) {
  StoredMessage stored{.id = message.id, .payload = {}};
  for (const FrameBatch& part : message.parts) {
    stored.payload.append(reinterpret_cast<const char*>(part.octets().data()), part.bytes());
  }
  return stored;
}

TEST(StoredMessages, AreEqualWithTheSameIdAndOctets) {
  const Message message = message_of_two_parts();
  StoredMessage stored = stored_as(message);
  EXPECT_TRUE(is_same(stored, message));
  stored.id += '0';
  EXPECT_FALSE(is_same(stored, message));
}

TEST(StoredMessages, DifferWithOtherOctetsUnderTheSameId) {
  const Message message = message_of_two_parts();
  StoredMessage stored = stored_as(message);
  stored.payload.back() ^= 1;
  EXPECT_FALSE(is_same(stored, message));
  stored = stored_as(message);
  stored.payload.pop_back();
  EXPECT_FALSE(is_same(stored, message));
  stored.payload += "xx";
  EXPECT_FALSE(is_same(stored, message));
}

}  // namespace
}  // namespace meridian::test
