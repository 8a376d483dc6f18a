#include "frame/space_packet_decoder.hpp"

#include "frame/space_packet.hpp"
#include "unit/frame/frame_samples.hpp"
#include "unit/frame/stream_driver.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace meridian::test {

using namespace frame;
namespace {

constexpr SatelliteId satellite = 25544;

Decoded decode_packets(const Octets& stream,
                       std::size_t max_bytes = space_packet::max_packet_bytes) {
  SpacePacketDecoder decoder(satellite, max_bytes);
  return decoder.decode(in_slab(stream), {.session = 7, .width = SequenceWidth::bits14});
}

TEST(SpacePacketDecoder, MakesFramesWithWholePacketsAsPayload) {
  // Written out: version 0, telemetry, secondary header, APID 0x5A3, not segmented, count 0x1234,
  // 2 octets of data.
  const unsigned char octets[] = {0x0D, 0xA3, 0xD2, 0x34, 0x00, 0x01, 0xCA, 0xFE};
  Octets packet;
  append(packet, std::as_bytes(std::span(octets)));

  const Decoded found = decode_packets(packet);

  ASSERT_TRUE(found.batch.has_value());
  EXPECT_THAT(frames_of(*found.batch),
              testing::ElementsAre(SeenFrame{header(satellite, 0x5A3, 0x1234), packet}));
  EXPECT_EQ(found.consumed, packet.size());
  EXPECT_EQ(found.wanted, 6U);
  EXPECT_EQ(found.idle_packets, 0U);
  EXPECT_EQ(found.batch->stamp().width, SequenceWidth::bits14);
}

TEST(SpacePacketDecoder, TakesTelecommandsTooAndEverySequenceFlag) {
  for (const unsigned flags : {0x00U, 0x40U, 0x80U, 0xC0U}) {
    Octets packet = test::space_packet(1, 5, 3);
    packet[0] |= std::byte{0x10};  // type: telecommand
    packet[2] = static_cast<std::byte>(flags);
    const Decoded found = decode_packets(packet);
    ASSERT_TRUE(found.batch.has_value());
    EXPECT_THAT(frames_of(*found.batch),
                testing::ElementsAre(SeenFrame{header(satellite, 1, 5), packet}));
  }
}

TEST(SpacePacketDecoder, TakesTheSmallestAndTheLargestPacket) {
  for (const std::size_t packet_bytes : {7U, 65542U}) {
    const Octets packet = test::space_packet(100, 1, packet_bytes - 6);
    ASSERT_EQ(packet.size(), packet_bytes);
    const Decoded found = decode_packets(packet);
    ASSERT_TRUE(found.batch.has_value()) << packet_bytes;
    EXPECT_EQ(found.batch->bytes(), packet_bytes + 20);
    EXPECT_THAT(frames_of(*found.batch),
                testing::ElementsAre(SeenFrame{header(satellite, 100, 1), packet}));
  }
}

TEST(SpacePacketDecoder, RefusesAnOverlongPacketAtItsLength) {
  Octets stream = test::space_packet(1, 0, 94);  // 100 octets
  const std::size_t good = stream.size();
  const Octets large = test::space_packet(1, 1, 95);
  append(stream, std::span(large).first(5));
  EXPECT_FALSE(decode_packets(stream, 100).malformed.has_value());

  append(stream, std::span(large).subspan(5, 1));
  const Decoded found = decode_packets(stream, 100);

  EXPECT_EQ(found.malformed, Malformed::packet_too_large);
  EXPECT_EQ(found.consumed, good);
  ASSERT_TRUE(found.batch.has_value());
  EXPECT_EQ(found.batch->frames(), 1U);
}

TEST(SpacePacketDecoder, RefusesOtherVersionsAtTheFirstOctet) {
  for (std::uint8_t version = 1; version < 8; ++version) {
    Octets stream = test::space_packet(1, 0, 10);
    const std::size_t good = stream.size();
    const Octets bad = test::space_packet(1, 1, 10, version);
    append(stream, std::span(bad).first(1));
    const Decoded found = decode_packets(stream);
    EXPECT_EQ(found.malformed, Malformed::packet_version) << int{version};
    EXPECT_EQ(found.consumed, good);
    ASSERT_TRUE(found.batch.has_value());
    EXPECT_EQ(found.batch->frames(), 1U);
  }
}

/// A transfer frame with its attached sync marker, which parses as a telecommand of APID 0x2CF.
Octets sync_marked_frame() {
  Octets stream{std::byte{0x1A}, std::byte{0xCF}, std::byte{0xFC}, std::byte{0x1D}};
  append(stream, test::sample_payload(1020));
  return stream;
}

TEST(SpacePacketDecoder, RefusesAStreamStartingWithASyncMarker) {
  const Octets stream = sync_marked_frame();
  for (const std::size_t first : {std::size_t{1}, std::size_t{3}, std::size_t{4}, stream.size()}) {
    SpacePacketDecoder decoder(satellite, space_packet::max_packet_bytes);
    const std::vector<std::size_t> cuts{first};
    const test::SeenStream seen = test::feed(decoder, stream, cuts);
    EXPECT_EQ(seen.malformed, Malformed::sync_marker) << first;
    EXPECT_EQ(seen.consumed, 0U);
    EXPECT_TRUE(seen.frames.empty());
  }
}

TEST(SpacePacketDecoder, TakesASyncMarkerLookalikeAfterAPacket) {
  Octets stream = test::space_packet(1, 0, 10);
  const std::size_t first = stream.size();
  append(stream, sync_marked_frame());
  SpacePacketDecoder decoder(satellite, space_packet::max_packet_bytes);
  const std::vector<std::size_t> cuts{first};
  EXPECT_NE(test::feed(decoder, stream, cuts).malformed, Malformed::sync_marker)
      << "a packet can begin like this; a stream hardly does";
}

TEST(SpacePacketDecoder, SkipsAndCountsIdlePackets) {
  Octets stream = test::space_packet(0x7FF, 0, 100);
  append(stream, test::space_packet(9, 1, 4));
  append(stream, test::space_packet(0x7FF, 1, 1));
  append(stream, test::space_packet(0x7FF, 2, 65536));
  append(stream, test::space_packet(9, 2, 5));
  append(stream, test::space_packet(0x7FF, 3, 10));

  const Decoded found = decode_packets(stream);

  EXPECT_EQ(found.idle_packets, 4U);
  EXPECT_EQ(found.consumed, stream.size());
  ASSERT_TRUE(found.batch.has_value());
  EXPECT_THAT(
      frames_of(*found.batch),
      testing::ElementsAre(SeenFrame{header(satellite, 9, 1), test::space_packet(9, 1, 4)},
                           SeenFrame{header(satellite, 9, 2), test::space_packet(9, 2, 5)}));
  EXPECT_THAT(found.batch->find_runs(),
              testing::ElementsAre(
                  meridian::Run{.origin = {satellite, 9}, .frames = 2, .first = 1, .bytes = 61}));
}

TEST(SpacePacketDecoder, MakesNoBatchOfIdlePacketsAlone) {
  Octets stream;
  for (std::uint16_t count = 0; count < 10; ++count) {
    append(stream, test::space_packet(0x7FF, count, 50));
  }
  const Decoded found = decode_packets(stream);
  EXPECT_FALSE(found.batch.has_value());
  EXPECT_EQ(found.idle_packets, 10U);
  EXPECT_EQ(found.consumed, stream.size());
  EXPECT_FALSE(found.malformed.has_value());
}

TEST(SpacePacketDecoder, RefusesIdlePacketsAboveItsLimitToo) {
  EXPECT_EQ(decode_packets(test::space_packet(0x7FF, 0, 100), 100).malformed,
            Malformed::packet_too_large);
}

TEST(SpacePacketDecoder, LeavesATruncatedTailAndStatesItsNeed) {
  const Octets whole = test::space_packet(3, 1, 20);
  const Octets next = test::space_packet(3, 2, 40);
  for (std::size_t tail = 0; tail < next.size(); ++tail) {
    Octets stream = whole;
    append(stream, std::span(next).first(tail));
    const Decoded found = decode_packets(stream);
    ASSERT_TRUE(found.batch.has_value());
    EXPECT_EQ(found.batch->frames(), 1U);
    EXPECT_EQ(found.consumed, whole.size());
    EXPECT_EQ(found.wanted, tail < 6 ? 6U : next.size()) << tail;
  }
}

TEST(SpacePacketDecoder, ContinuesARunOverACountRollover) {
  Octets stream;
  for (const std::uint16_t count : std::initializer_list<std::uint16_t>{16382, 16383, 0, 1}) {
    append(stream, test::space_packet(3, count, 1));
  }
  const Decoded found = decode_packets(stream);
  ASSERT_TRUE(found.batch.has_value());
  EXPECT_THAT(found.batch->find_runs(),
              testing::ElementsAre(meridian::Run{
                  .origin = {satellite, 3}, .frames = 4, .first = 16382, .bytes = 4 * 27}));
}

TEST(SpacePacketDecoder, NamesItsLargestUnit) {
  EXPECT_EQ(SpacePacketDecoder(1, 65542).max_unit_bytes(), 65542U);
  EXPECT_EQ(SpacePacketDecoder(1, 65542).sequence_width(), SequenceWidth::bits14);
}

}  // namespace
}  // namespace meridian::test
