#include "frame/native_decoder.hpp"

#include "unit/frame/frame_samples.hpp"
#include "unit/frame/stream_driver.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace meridian::test {

using namespace frame;
namespace {

constexpr std::uint32_t max_payload = 1000;

Decoded decode(const Octets& stream, std::uint32_t max_payload_bytes = max_payload) {
  NativeDecoder decoder(max_payload_bytes);
  return decoder.decode(in_slab(stream), {.session = 7});
}

/// A frame whose length field says `length`, followed by nothing.
Octets length_field(std::uint32_t length) {
  return {static_cast<std::byte>(length >> 24), static_cast<std::byte>(length >> 16 & 0xFF),
          static_cast<std::byte>(length >> 8 & 0xFF), static_cast<std::byte>(length & 0xFF)};
}

Octets frame_with_flags(std::uint16_t flags) {
  Octets frame = native_frame(header(1, 2, 3), sample_payload(10));
  frame[10] = static_cast<std::byte>(flags >> 8);
  frame[11] = static_cast<std::byte>(flags & 0xFF);
  return frame;
}

TEST(NativeDecoder, ReadsEveryHeaderField) {
  const Octets payload = sample_payload(5);
  // Written out octet by octet, so that encoder and decoder cannot be wrong together.
  const unsigned char octets[] = {0,    0,    0, 21, 0xA1, 0xB2, 0xC3, 0xD4, 0x12, 0x34,
                                  0x00, 0x01, 1, 2,  3,    4,    5,    6,    7,    8};
  Octets stream;
  append(stream, std::as_bytes(std::span(octets)));
  append(stream, payload);

  const Decoded found = decode(stream);

  ASSERT_TRUE(found.batch.has_value());
  EXPECT_THAT(frames_of(*found.batch),
              testing::ElementsAre(
                  SeenFrame{header(0xA1B2C3D4, 0x1234, 0x0102030405060708, true), payload}));
  EXPECT_EQ(found.consumed, stream.size());
  EXPECT_EQ(found.wanted, 4U);
  EXPECT_FALSE(found.malformed.has_value());
}

TEST(NativeDecoder, KeepsTheOctetsAsTheyCame) {
  Octets stream = native_frame(header(1, 2, 3, true), sample_payload(50));
  append(stream, native_frame(header(1, 2, 4), sample_payload(3)));
  const Decoded found = decode(stream);
  ASSERT_TRUE(found.batch.has_value());
  EXPECT_TRUE(std::ranges::equal(found.batch->octets(), stream));
  EXPECT_EQ(found.batch->stamp().session, 7U);
}

TEST(NativeDecoder, DistinguishesStoredFromRealTime) {
  Octets stream = native_frame(header(1, 0, 1, true));
  append(stream, native_frame(header(1, 0, 2, false)));
  const Decoded found = decode(stream);
  ASSERT_TRUE(found.batch.has_value());
  const auto frames = frames_of(*found.batch);
  ASSERT_EQ(frames.size(), 2U);
  EXPECT_TRUE(frames[0].header.stored);
  EXPECT_FALSE(frames[1].header.stored);
}

TEST(NativeDecoder, TakesPayloadsFromNoneToTheLargest) {
  for (const std::size_t payload_bytes : {0U, 1U, max_payload - 1, max_payload}) {
    const Octets payload = sample_payload(payload_bytes);
    const Decoded found = decode(native_frame(header(1, 2, 3), payload));
    ASSERT_TRUE(found.batch.has_value()) << payload_bytes;
    EXPECT_THAT(frames_of(*found.batch), testing::ElementsAre(SeenFrame{header(1, 2, 3), payload}));
  }
}

TEST(NativeDecoder, TakesSatelliteIdsFromZeroToTheLargest) {
  Octets stream = native_frame(header(0, 0, 0));
  append(stream, native_frame(header(0xFFFFFFFF, 0xFFFF, 0xFFFFFFFFFFFFFFFF)));
  const Decoded found = decode(stream);
  ASSERT_TRUE(found.batch.has_value());
  EXPECT_THAT(frames_of(*found.batch),
              testing::ElementsAre(SeenFrame{header(0, 0, 0), {}},
                                   SeenFrame{header(0xFFFFFFFF, 0xFFFF, 0xFFFFFFFFFFFFFFFF), {}}));
}

TEST(NativeDecoder, NamesItsLargestUnit) {
  EXPECT_EQ(NativeDecoder(65536).max_unit_bytes(), 65556U);
  EXPECT_EQ(NativeDecoder(0).max_unit_bytes(), 20U);
}

TEST(NativeDecoder, AllowsNoPayloadWhereTheLargestIsZero) {
  EXPECT_TRUE(decode(native_frame(header(1, 2, 3)), 0).batch.has_value());
  EXPECT_EQ(decode(native_frame(header(1, 2, 3), sample_payload(1)), 0).malformed,
            Malformed::length_too_large);
}

TEST(NativeDecoder, TakesALargestPayloadOfNearlyFourGigabytes) {
  const std::uint32_t largest = 0xFFFFFFFF - 20;
  const Decoded found = decode(length_field(largest + 16), largest);
  EXPECT_FALSE(found.malformed.has_value());
  EXPECT_EQ(found.wanted, std::size_t{largest} + 20);
  EXPECT_EQ(decode(length_field(largest + 17), largest).malformed, Malformed::length_too_large);
}

struct BadUnit {
  const char* name;
  Octets octets;
  std::size_t decided_at;  ///< octets that suffice for the verdict
  Malformed reason;
};

void PrintTo(const BadUnit& bad, std::ostream* out) {
  *out << bad.name;
}

class NativeDecoderMalformed : public testing::TestWithParam<BadUnit> {};

TEST_P(NativeDecoderMalformed, IsReportedWithTheFramesBeforeItKept) {
  Octets stream = native_frame(header(1, 2, 3), sample_payload(10));
  append(stream, native_frame(header(1, 2, 4), sample_payload(20)));
  const std::size_t good = stream.size();
  append(stream, GetParam().octets);
  append(stream, native_frame(header(1, 2, 5)));

  const Decoded found = decode(stream);

  EXPECT_EQ(found.malformed, GetParam().reason);
  EXPECT_EQ(found.consumed, good);
  ASSERT_TRUE(found.batch.has_value());
  EXPECT_EQ(found.batch->frames(), 2U);
  EXPECT_EQ(found.batch->bytes(), good);
}

TEST_P(NativeDecoderMalformed, IsReportedAtTheStartOfAStream) {
  const Decoded found = decode(GetParam().octets);
  EXPECT_EQ(found.malformed, GetParam().reason);
  EXPECT_EQ(found.consumed, 0U);
  EXPECT_FALSE(found.batch.has_value());
}

TEST_P(NativeDecoderMalformed, IsReportedAtTheDecidingField) {
  const BadUnit& bad = GetParam();
  ASSERT_GE(bad.octets.size(), bad.decided_at);
  for (std::size_t there = 0; there < bad.decided_at; ++there) {
    const Decoded found =
        decode(Octets(bad.octets.begin(), bad.octets.begin() + static_cast<std::ptrdiff_t>(there)));
    EXPECT_FALSE(found.malformed.has_value()) << there;
  }
  for (std::size_t there = bad.decided_at; there <= bad.octets.size(); ++there) {
    const Decoded found =
        decode(Octets(bad.octets.begin(), bad.octets.begin() + static_cast<std::ptrdiff_t>(there)));
    EXPECT_EQ(found.malformed, bad.reason) << there;
  }
}

INSTANTIATE_TEST_SUITE_P(
    EachReason, NativeDecoderMalformed,
    testing::Values(
        BadUnit{"LengthOfZero", length_field(0), 4, Malformed::length_too_small},
        BadUnit{"LengthOneBelowTheHeader", length_field(15), 4, Malformed::length_too_small},
        BadUnit{"PayloadOneAboveTheLargest", length_field(16 + max_payload + 1), 4,
                Malformed::length_too_large},
        BadUnit{"LargestLength", length_field(0xFFFFFFFF), 4, Malformed::length_too_large},
        BadUnit{"LowestReservedFlag", frame_with_flags(0x0002), 12, Malformed::reserved_flags},
        BadUnit{"HighestReservedFlag", frame_with_flags(0x8000), 12, Malformed::reserved_flags},
        BadUnit{"ReservedFlagBesideStored", frame_with_flags(0x0101), 12,
                Malformed::reserved_flags}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(NativeDecoder, LeavesATruncatedTailAndStatesItsNeed) {
  const Octets whole = native_frame(header(1, 2, 3), sample_payload(30));
  const Octets next = native_frame(header(1, 2, 4), sample_payload(100));
  for (std::size_t tail = 0; tail < next.size(); ++tail) {
    Octets stream = whole;
    append(stream, std::span(next).first(tail));
    const Decoded found = decode(stream);
    ASSERT_TRUE(found.batch.has_value());
    EXPECT_EQ(found.batch->frames(), 1U);
    EXPECT_EQ(found.consumed, whole.size());
    EXPECT_EQ(found.wanted, tail < 4 ? 4U : next.size()) << tail;
  }
}

TEST(NativeDecoder, ChecksEachHeaderEvenAmongAlikeFrames) {
  constexpr std::size_t frame_bytes = frame_header_bytes + 10;
  for (std::size_t octet = 0; octet < frame_header_bytes; ++octet) {
    SCOPED_TRACE(octet);
    Octets stream;
    for (std::uint64_t sequence = 0; sequence < 5; ++sequence) {
      append(stream, native_frame(header(1, 2, sequence), sample_payload(10)));
    }
    stream[2 * frame_bytes + octet] ^= std::byte{0x80};
    const Decoded found = decode(stream);
    ASSERT_TRUE(found.batch.has_value());
    const bool is_bad = octet < 4 || octet == 10 || octet == 11;  // length or flags
    ASSERT_EQ(found.batch->frames(), is_bad ? 2U : 5U);
    const FrameBatch unknown(copy_to_slab(found.batch->octets()), {.frames = found.batch->frames()},
                             {});
    EXPECT_EQ(found.batch->find_runs(), unknown.find_runs());
  }
}

TEST(NativeDecoder, FindsNothingInNothing) {
  const Decoded found = decode({});
  EXPECT_FALSE(found.batch.has_value());
  EXPECT_EQ(found.consumed, 0U);
  EXPECT_EQ(found.wanted, 4U);
  EXPECT_FALSE(found.malformed.has_value());
}

TEST(NativeDecoder, KeepsNoRunsBetweenCalls) {
  NativeDecoder decoder(max_payload);
  for (std::uint64_t sequence = 0; sequence < 3; ++sequence) {
    const Decoded found = decoder.decode(in_slab(native_frame(header(1, 2, sequence))), {});
    ASSERT_TRUE(found.batch.has_value());
    EXPECT_THAT(found.batch->find_runs(),
                testing::ElementsAre(
                    meridian::Run{.origin = {1, 2}, .frames = 1, .first = sequence, .bytes = 20}));
  }
}

}  // namespace
}  // namespace meridian::test
