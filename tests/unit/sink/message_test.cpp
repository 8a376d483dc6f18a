#include "sink/message.hpp"

#include "sink/jetstream/headers.hpp"
#include "unit/frame/frame_samples.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <utility>
#include <vector>

namespace meridian::test {

using namespace sink;
using namespace sink::jetstream;

namespace {

using testing::ElementsAre;

constexpr ReceiveTime at(std::int64_t microseconds) {
  return ReceiveTime(std::chrono::microseconds(microseconds));
}

/// Frames first, first + 1, … of satellite 7, channel 3, with 10 octets of payload each.
FrameBatch batch_at(std::uint64_t first, std::uint32_t frames, std::int64_t received_at_us,
                    SequenceWidth width = SequenceWidth::bits64) {
  FrameBatchBuilder builder;
  for (std::uint32_t i = 0; i < frames; ++i) {
    builder.append(header(7, 3, (first + i) & largest_sequence(width)), sample_payload(10, i));
  }
  return builder.finish({.received_at = at(received_at_us), .width = width}).value();
}

template <typename... Batches>
std::vector<FrameBatch> parts_of(Batches... batches) {
  std::vector<FrameBatch> parts;
  (parts.push_back(std::move(batches)), ...);
  return parts;
}

TEST(Message, KnowsWhatItsPartsHold) {
  const Message message =
      make_message("id", parts_of(batch_at(100, 3, 1'000'000), batch_at(103, 2, 2'500'000)));
  EXPECT_EQ(message.origin, (Origin{7, 3}));
  EXPECT_EQ(message.id, "id");
  EXPECT_EQ(message.frames, 5U);
  EXPECT_EQ(message.first_sequence, 100U);
  EXPECT_EQ(message.last_sequence, 104U);
  EXPECT_EQ(message.first_received_at, at(1'000'000));
  EXPECT_EQ(message.last_received_at, at(2'500'000));
  EXPECT_EQ(message.bytes, 5U * 30U);
}

TEST(Message, EndsBehindARolloverOfTheCounter) {
  const Message message =
      make_message("id", parts_of(batch_at(16'382, 4, 0, SequenceWidth::bits14)));
  EXPECT_EQ(message.first_sequence, 16'382U);
  EXPECT_EQ(message.last_sequence, 1U);
}

TEST(Message, HasHeadersThatDescribeItsFrames) {
  const Message message = make_message("one.7", parts_of(batch_at(100, 3, 1'764'297'600'000'001),
                                                         batch_at(103, 1, 1'764'297'601'500'000)));
  EXPECT_THAT(
      headers_of(message),
      ElementsAre(Header{"Nats-Msg-Id", "one.7"}, Header{"Meridian-Frames", "4"},
                  Header{"Meridian-First-Sequence", "100"}, Header{"Meridian-Last-Sequence", "103"},
                  Header{"Meridian-First-Received-At", "2025-11-28T02:40:00.000001Z"},
                  Header{"Meridian-Last-Received-At", "2025-11-28T02:40:01.500000Z"}));
}

TEST(Message, HeadersStayWithinTheirAllowance) {
  Message message =
      make_message(std::string(200, 'x'), parts_of(batch_at(~std::uint64_t{0}, 1, 0)));
  message.frames = ~std::uint32_t{0};
  std::size_t bytes = 0;
  for (const Header& each : headers_of(message)) {
    bytes += each.name.size() + each.value.size() + 4;
  }
  // The library adds its first line and the name of the stream.
  EXPECT_LE(bytes + 100, max_header_bytes);
}

TEST(Message, OfNoFramesIsMisuse) {
  EXPECT_THROW(static_cast<void>(make_message("id", {})), std::invalid_argument);
}

TEST(Message, OfSeveralOriginsIsMisuse) {
  FrameBatchBuilder builder;
  builder.append(header(8, 3, 1), sample_payload(10, 0));
  auto parts = parts_of(batch_at(0, 1, 0), builder.finish({}).value());
  EXPECT_THROW(static_cast<void>(make_message("id", std::move(parts))), std::invalid_argument);
}

}  // namespace
}  // namespace meridian::test
