#include "sim/stored_message.hpp"

#include "unit/frame/frame_samples.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace meridian::test {

using namespace sim;

namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// Frames of satellite 7, channel 3.
Octets frames_from(std::uint64_t first, std::uint64_t count) {
  Octets octets;
  for (std::uint64_t i = 0; i < count; ++i) {
    append(octets, native_frame(header(7, 3, first + i), sample_payload(60, first + i)));
  }
  return octets;
}

/// Headers as they should be for `frames_from(100, 50)`.
StoredMessage good_message(const Octets& payload) {
  return {.payload = payload,
          .id = "some-id",
          .frames = "50",
          .first_sequence = "100",
          .last_sequence = "149",
          .first_received_at = "2026-11-24T10:00:00.000001Z",
          .last_received_at = "2026-11-24T10:00:01.999999Z"};
}

TEST(StoredMessage, IsAsItShouldBe) {
  const Octets payload = frames_from(100, 50);
  const Inspected found = inspect(good_message(payload));
  EXPECT_EQ(found.fault, "");
  EXPECT_EQ(found.frames, 50U);
  EXPECT_THAT(found.runs, ElementsAre(meridian::Run{.origin = {.satellite_id = 7, .channel_id = 3},
                                                    .frames = 50,
                                                    .first = 100,
                                                    .bytes = payload.size()}));
}

TEST(StoredMessage, MayHaveOneFrameWithoutPayload) {
  const Octets payload = native_frame(header(7, 3, 0));
  StoredMessage message = good_message(payload);
  message.frames = "1";
  message.first_sequence = "0";
  message.last_sequence = "0";
  EXPECT_EQ(inspect(message).fault, "");
}

TEST(StoredMessage, HasSequencesOfItsFirstAndLastFrame) {
  Octets payload = frames_from(100, 2);
  append(payload, frames_from(50, 3));
  StoredMessage message = good_message(payload);
  message.frames = "5";
  message.last_sequence = "52";
  const Inspected found = inspect(message);
  EXPECT_EQ(found.fault, "") << "disorder is not for the message to answer for";
  ASSERT_EQ(found.runs.size(), 2U);
  EXPECT_EQ(found.runs[0].first, 100U);
  EXPECT_EQ(found.runs[1].first, 50U);
}

TEST(StoredMessage, WithoutWholeFramesHasNone) {
  const Octets good = frames_from(100, 50);
  Octets cut_off = good;
  cut_off.pop_back();
  Octets too_long = good;
  too_long.push_back(std::byte{0});
  Octets with_garbage = good;
  append(with_garbage, Octets(20, std::byte{0}));
  Octets with_flags = good;
  with_flags[11] = std::byte{0x80};
  const std::vector<std::pair<Octets, std::string>> bad = {
      {{}, "no frames"},
      {Octets(3, std::byte{1}), "no whole frame at octet 0 of 3"},
      {Octets(100, std::byte{0xFF}), "no frame at octet 0: reserved_flags"},
      {cut_off, "no whole frame at octet 3920 of 3999"},
      {too_long, "no whole frame at octet 4000 of 4001"},
      {with_garbage, "no frame at octet 4000: length_too_small"},
      {with_flags, "no frame at octet 0: reserved_flags"}};
  for (const auto& [payload, fault] : bad) {
    const Inspected found = inspect(good_message(payload));
    EXPECT_EQ(found.fault, fault);
    EXPECT_EQ(found.frames, 0U);
    EXPECT_THAT(found.runs, IsEmpty());
  }
}

TEST(StoredMessage, HasFramesOfOneSatelliteAndChannel) {
  for (const auto& [satellite, channel] : {std::pair{7U, 4U}, {8U, 3U}}) {
    Octets payload = frames_from(100, 49);
    append(payload, native_frame(header(satellite, static_cast<ChannelId>(channel), 149)));
    const Inspected found = inspect(good_message(payload));
    EXPECT_EQ(found.fault, "frames of several satellites or channels");
    EXPECT_EQ(found.frames, 50U) << "they are frames all the same";
  }
}

struct BadHeader {
  StoredMessage::Header StoredMessage::* header;
  StoredMessage::Header value;
  std::string fault;
};

TEST(StoredMessage, HasHeadersThatAgreeWithItsFrames) {
  const std::vector<BadHeader> bad = {
      {&StoredMessage::id, std::nullopt, "no Nats-Msg-Id"},
      {&StoredMessage::id, "", "no Nats-Msg-Id"},
      {&StoredMessage::frames, std::nullopt, "no Meridian-Frames"},
      {&StoredMessage::frames, "51", "Meridian-Frames is 51, not 50 as its frames say"},
      {&StoredMessage::frames, "", "Meridian-Frames is not a number"},
      {&StoredMessage::frames, "50 ", "Meridian-Frames is not a number"},
      {&StoredMessage::frames, "-50", "Meridian-Frames is not a number"},
      {&StoredMessage::frames, "99999999999999999999", "Meridian-Frames is not a number"},
      {&StoredMessage::first_sequence, std::nullopt, "no Meridian-First-Sequence"},
      {&StoredMessage::first_sequence, "101",
       "Meridian-First-Sequence is 101, not 100 as its frames say"},
      {&StoredMessage::last_sequence, std::nullopt, "no Meridian-Last-Sequence"},
      {&StoredMessage::last_sequence, "150",
       "Meridian-Last-Sequence is 150, not 149 as its frames say"},
      {&StoredMessage::first_received_at, std::nullopt, "no Meridian-First-Received-At"},
      {&StoredMessage::first_received_at, "2026-11-24T10:00:00Z",
       "Meridian-First-Received-At is not a UTC time with microseconds"},
      {&StoredMessage::last_received_at, std::nullopt, "no Meridian-Last-Received-At"},
      {&StoredMessage::last_received_at, "2026-11-24 10:00:00.000000Z",
       "Meridian-Last-Received-At is not a UTC time with microseconds"},
      {&StoredMessage::last_received_at, "2026-11-24T10:00:00.000000+",
       "Meridian-Last-Received-At is not a UTC time with microseconds"},
  };
  const Octets payload = frames_from(100, 50);
  for (const auto& [member, value, fault] : bad) {
    StoredMessage message = good_message(payload);
    message.*member = value;
    const Inspected found = inspect(message);
    EXPECT_EQ(found.fault, fault);
    EXPECT_EQ(found.frames, 50U) << "its frames are there";
    EXPECT_EQ(found.runs.size(), 1U);
  }
}

}  // namespace
}  // namespace meridian::test
