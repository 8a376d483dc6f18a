#include "sim/source.hpp"

#include "frame/native_decoder.hpp"
#include "frame/space_packet.hpp"
#include "frame/space_packet_decoder.hpp"
#include "integration/harness/temp_dir.hpp"
#include "unit/frame/frame_samples.hpp"
#include "unit/frame/stream_driver.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <ostream>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace meridian::test {

using namespace sim;

namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();

/// `frames` frames of a source, in as many chunks as it takes.
Octets take(Source& source, std::uint64_t frames) {
  Octets stream;
  while (frames > 0) {
    const Chunk chunk = source.next(frames);
    if (chunk.frames == 0) {
      ADD_FAILURE() << "the source has ended";
      break;
    }
    EXPECT_LE(chunk.frames, frames);
    append(stream, chunk.octets);
    frames -= chunk.frames;
  }
  return stream;
}

Octets take(const Options& options, std::uint64_t frames, std::size_t index = 0) {
  return take(*make_source(options, index, nullptr), frames);
}

std::vector<SeenFrame> decode_native(const Octets& stream) {
  frame::NativeDecoder decoder(1'000'000);
  const SeenStream seen = test::feed(decoder, stream);
  EXPECT_EQ(seen.consumed, stream.size());
  EXPECT_FALSE(seen.malformed.has_value());
  return seen.frames;
}

std::vector<SeenFrame> decode_packets(const Octets& stream) {
  frame::SpacePacketDecoder decoder(1, frame::space_packet::max_packet_bytes);
  const SeenStream seen = test::feed(decoder, stream);
  EXPECT_EQ(seen.consumed, stream.size());
  EXPECT_FALSE(seen.malformed.has_value());
  EXPECT_EQ(seen.idle_packets, 0U);
  return seen.frames;
}

Options native(Range payload_bytes = {64, 64}, std::uint64_t seed = 1) {
  Options options;
  options.payload_bytes = payload_bytes;
  options.seed = seed;
  return options;
}

Options packets(Range payload_bytes = {64, 64}) {
  Options options = native(payload_bytes);
  options.framing = Framing::ccsds_space_packet;
  return options;
}

TEST(NativeSource, NumbersTheFramesOfOneSatellitePerUplink) {
  for (const std::size_t index : {0U, 1U, 47U}) {
    const std::vector<SeenFrame> frames = decode_native(take(native(), 3'000, index));
    ASSERT_EQ(frames.size(), 3'000U);
    for (std::uint64_t i = 0; i < frames.size(); ++i) {
      ASSERT_EQ(frames[i].header, test::header(static_cast<SatelliteId>(index + 1), 0, i, false));
    }
  }
}

TEST(NativeSource, MakesPayloadsOfEverySizeInRangeOnly) {
  std::set<std::size_t> sizes;
  for (const SeenFrame& frame : decode_native(take(native({10, 20}), 1'000))) {
    sizes.insert(frame.payload.size());
  }
  EXPECT_EQ(sizes, (std::set<std::size_t>{10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20}));
}

TEST(NativeSource, MakesPayloadsOfOneSize) {
  for (const std::size_t size : {0U, 1U, 64U, 5'000U, 100'000U}) {
    for (const SeenFrame& frame : decode_native(take(native({size, size}), 20))) {
      EXPECT_EQ(frame.payload.size(), size);
    }
  }
}

TEST(NativeSource, VariesItsPayloads) {
  std::set<Octets> payloads;
  for (const SeenFrame& frame : decode_native(take(native(), 50))) {
    payloads.insert(frame.payload);
  }
  EXPECT_EQ(payloads.size(), 50U);
}

TEST(Source, DependsOnItsSeedAlone) {
  for (const Options& options : {native({10, 20}, 7), packets({10, 20})}) {
    Options reseeded = options;
    reseeded.seed = options.seed + 1;
    EXPECT_EQ(take(options, 500, 3), take(options, 500, 3));
    EXPECT_NE(take(options, 500, 3), take(reseeded, 500, 3));
  }
}

TEST(Source, MakesTheSameHoweverItIsAsked) {
  for (const Options& options : {native({10, 20}), packets({10, 20})}) {
    const auto source = make_source(options, 0, nullptr);
    Octets one_by_one;
    for (int i = 0; i < 500; ++i) {
      const Chunk chunk = source->next(1);
      ASSERT_EQ(chunk.frames, 1U);
      append(one_by_one, chunk.octets);
    }
    EXPECT_EQ(one_by_one, take(options, 500));
  }
}

TEST(Source, GivesAChunkWorthOneWrite) {
  for (const Options& options : {native({1'000, 1'000}), packets({1'000, 1'000})}) {
    const Chunk chunk = make_source(options, 0, nullptr)->next(unlimited);
    EXPECT_GE(chunk.frames, 60U);
    EXPECT_LE(chunk.frames, 70U);
  }
}

TEST(SpacePacketSource, CountsEachApidAloneModuloFourteenBits) {
  constexpr std::size_t apids = 4;
  constexpr std::uint64_t packets_each = 2 * 16'384 + 3;
  std::map<ChannelId, std::uint64_t> counted;
  for (const SeenFrame& frame : decode_packets(take(packets({1, 1}), apids * packets_each))) {
    const ChannelId apid = frame.header.origin.channel_id;
    ASSERT_EQ(frame.header.sequence, counted[apid] % 16'384) << "apid " << apid;
    ++counted[apid];
  }
  EXPECT_EQ(counted,
            (std::map<ChannelId, std::uint64_t>{
                {0, packets_each}, {1, packets_each}, {2, packets_each}, {3, packets_each}}));
}

TEST(SpacePacketSource, MakesUnsegmentedTelemetryPackets) {
  for (const SeenFrame& frame : decode_packets(take(packets(), 100, 300))) {
    const std::byte* packet = frame.payload.data();
    EXPECT_EQ(packet[0] >> 3, std::byte{0}) << "version, type, secondary header";
    EXPECT_EQ(packet[2] >> 6, std::byte{3}) << "sequence flags";
  }
}

TEST(SpacePacketSource, GivesUplinksTheirOwnApidsExceptIdle) {
  std::set<ChannelId> seen;
  constexpr std::size_t uplinks = 511;  // as many as have four APIDs each
  for (std::size_t index = 0; index < uplinks; ++index) {
    for (const SeenFrame& frame : decode_packets(take(packets({1, 1}), 4, index))) {
      EXPECT_TRUE(seen.insert(frame.header.origin.channel_id).second) << index;
    }
  }
  for (const std::size_t index : {511U, 512U, 100'000U}) {
    EXPECT_EQ(decode_packets(take(packets({1, 1}), 8, index)).size(), 8U);
  }
}

TEST(SpacePacketSource, KeepsPayloadsWithinRangeAndPacketSize) {
  struct {
    Range asked;
    std::size_t least;
    std::size_t most;
  } const cases[] = {{{10, 12}, 10, 12}, {{1, 1}, 1, 1}, {{65'536, 65'536}, 65'536, 65'536}};
  for (const auto& [asked, least, most] : cases) {
    std::set<std::size_t> sizes;
    for (const SeenFrame& frame : decode_packets(take(packets(asked), 200))) {
      sizes.insert(frame.payload.size() - frame::space_packet::header_bytes);
    }
    EXPECT_EQ(*sizes.begin(), least);
    EXPECT_EQ(*sizes.rbegin(), most);
  }
}

class ReplayTest : public testing::Test {
 protected:
  /// A file of `count` packets, and what it holds.
  Octets write_packets(std::uint16_t count, std::size_t data_bytes = 20) {
    Octets stream;
    for (std::uint16_t i = 0; i < count; ++i) {
      append(stream, test::space_packet(5, i, data_bytes + i % 3));
    }
    std::ignore = write(stream);
    return stream;
  }
  std::string write(const Octets& octets) {
    return directory_.write(
        "packets", std::string_view(reinterpret_cast<const char*>(octets.data()), octets.size()));
  }
  [[nodiscard]] std::unique_ptr<Source> replay(const Options& options = {}) const {
    return make_source(options, 0, load_packets(file_));
  }

  test::TempDir directory_;
  std::string file_ = directory_.file("packets");
};

TEST_F(ReplayTest, GivesTheFileOncePacketByPacket) {
  const Octets content = write_packets(100);
  const auto source = replay();
  EXPECT_EQ(take(*source, 100), content);
  EXPECT_EQ(source->next(unlimited).frames, 0U);
  EXPECT_TRUE(source->next(unlimited).octets.empty());
}

TEST_F(ReplayTest, GivesWholePacketsWhateverItIsAskedFor) {
  const Octets content = write_packets(100);
  const auto source = replay();
  const Chunk first = source->next(3);
  EXPECT_EQ(first.frames, 3U);
  EXPECT_EQ(first.octets.size(), 3 * 26U + 0 + 1 + 2);
  EXPECT_TRUE(std::ranges::equal(first.octets, std::span(content).first(first.octets.size())));
}

TEST_F(ReplayTest, GivesALargeFileInChunks) {
  const Octets content = write_packets(1'000, 500);
  const auto source = replay();
  const Chunk chunk = source->next(unlimited);
  EXPECT_GT(chunk.octets.size(), 60'000U);
  EXPECT_LT(chunk.octets.size(), 70'000U);
  EXPECT_LT(chunk.frames, 200U);
}

TEST_F(ReplayTest, RepeatsForARequestedNumberOrTime) {
  const Octets content = write_packets(10);
  Options frames;
  frames.frames = 25;
  Options duration;
  duration.duration = std::chrono::seconds(1);
  for (const Options& options : {frames, duration}) {
    const auto source = replay(options);
    const Octets stream = take(*source, 30);
    ASSERT_EQ(stream.size(), 3 * content.size());
    EXPECT_TRUE(std::ranges::equal(std::span(stream).last(content.size()), content));
  }
}

TEST_F(ReplayTest, LetsUplinksShareTheFile) {
  const Octets content = write_packets(10);
  const auto file = load_packets(file_);
  const auto first = make_source({}, 0, file);
  const auto second = make_source({}, 1, file);
  EXPECT_EQ(take(*first, 10), content);
  EXPECT_EQ(take(*second, 10), content);
}

TEST_F(ReplayTest, RefusesAMissingFileOrADirectory) {
  for (const std::string& file : {directory_.file("missing"), directory_.path().string()}) {
    EXPECT_THAT([&] { std::ignore = load_packets(file); },
                ThrowsMessage<std::runtime_error>(file + ": cannot be read"));
  }
}

TEST_F(ReplayTest, RefusesPartialPacketsAndSaysWhere) {
  const Octets packet = test::space_packet(5, 0, 10);  // 16 octets
  for (const std::size_t cut : {1U, 5U, 6U, 15U}) {
    Octets content = packet;
    append(content, std::span(packet).first(cut));
    EXPECT_THAT(
        [&] { std::ignore = load_packets(write(content)); },
        ThrowsMessage<std::runtime_error>(HasSubstr("packets: no whole space packet at offset 16")))
        << cut;
  }
  Octets content = packet;
  append(content, test::space_packet(5, 1, 10, 1));
  EXPECT_THAT([&] { std::ignore = load_packets(write(content)); },
              ThrowsMessage<std::runtime_error>(HasSubstr("at offset 16")))
      << "version 1";
}

TEST_F(ReplayTest, RefusesAnEmptyFile) {
  EXPECT_THAT([&] { std::ignore = load_packets(write({})); },
              ThrowsMessage<std::runtime_error>(HasSubstr("is empty")));
}

}  // namespace
}  // namespace meridian::test
