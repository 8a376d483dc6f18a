// However a stream is cut into reads, the same frames come out and the same verdict at the same
// offset.
#include "frame/native_decoder.hpp"
#include "frame/space_packet_decoder.hpp"
#include "unit/frame/frame_samples.hpp"
#include "unit/frame/stream_driver.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <vector>

namespace meridian::test {

using namespace frame;
namespace {

struct Stream {
  const char* name;
  std::function<std::unique_ptr<Decoder>()> make_decoder;
  Octets octets;
  std::size_t frames;  ///< how many are to come out
  std::optional<Malformed> verdict;
};

void PrintTo(const Stream& stream, std::ostream* out) {
  *out << stream.name;
}

std::unique_ptr<Decoder> native_decoder() {
  return std::make_unique<NativeDecoder>(200);
}
std::unique_ptr<Decoder> packet_decoder() {
  return std::make_unique<SpacePacketDecoder>(1, std::size_t{200});
}

Octets native_frames() {
  Octets stream;
  for (std::uint64_t i = 0; i < 12; ++i) {
    const FrameHeader fields = header(static_cast<SatelliteId>(i % 3), 1, i / 3, i % 2 == 0);
    append(stream, native_frame(fields, sample_payload(i % 4 * 11, i)));
  }
  return stream;
}

Octets packets() {
  Octets stream;
  for (std::uint16_t i = 0; i < 12; ++i) {
    const auto apid = static_cast<ChannelId>(i % 4 == 3 ? 0x7FF : i % 2);
    append(stream, space_packet(apid, static_cast<std::uint16_t>((16380 + i) & 0x3FFF), 1 + i));
  }
  return stream;
}

Octets with(Octets stream, const Octets& more) {
  append(stream, more);
  return stream;
}

Octets with_reserved_flag() {
  Octets frame = native_frame(header(1, 1, 1), sample_payload(30));
  frame[10] = std::byte{0x40};
  return frame;
}

std::vector<Stream> streams() {
  const Octets cut_frame = native_frame(header(1, 1, 1), sample_payload(30));
  const Octets cut_packet = space_packet(1, 1, 30);
  return {
      {"GoodFrames", native_decoder, native_frames(), 12, std::nullopt},
      {"FramesCutOffInTheHeader", native_decoder,
       with(native_frames(), Octets(cut_frame.begin(), cut_frame.begin() + 11)), 12, std::nullopt},
      {"FramesCutOffInThePayload", native_decoder,
       with(native_frames(), Octets(cut_frame.begin(), cut_frame.end() - 1)), 12, std::nullopt},
      {"FramesThenALengthTooSmall", native_decoder,
       with(native_frames(), with(Octets(3), Octets{std::byte{15}, std::byte{1}, std::byte{2}})),
       12, Malformed::length_too_small},
      {"FramesThenALengthTooLarge", native_decoder,
       with(native_frames(), native_frame(header(1, 1, 1), sample_payload(201))), 12,
       Malformed::length_too_large},
      {"FramesThenAReservedFlag", native_decoder, with(native_frames(), with_reserved_flag()), 12,
       Malformed::reserved_flags},
      {"GoodPackets", packet_decoder, packets(), 9, std::nullopt},
      {"PacketsCutOff", packet_decoder,
       with(packets(), Octets(cut_packet.begin(), cut_packet.end() - 1)), 9, std::nullopt},
      {"PacketsThenAVersion", packet_decoder, with(packets(), space_packet(1, 1, 10, 5)), 9,
       Malformed::packet_version},
      {"PacketsThenOneTooLarge", packet_decoder, with(packets(), space_packet(1, 1, 195)), 9,
       Malformed::packet_too_large},
  };
}

class StreamSplit : public testing::TestWithParam<Stream> {
 protected:
  [[nodiscard]] SeenStream feed_cut_at(std::span<const std::size_t> cuts) const {
    const auto decoder = GetParam().make_decoder();
    return feed(*decoder, GetParam().octets, cuts);
  }
  [[nodiscard]] SeenStream feed_whole() const { return feed_cut_at({}); }
  [[nodiscard]] std::size_t size() const { return GetParam().octets.size(); }
};

TEST_P(StreamSplit, GivesWhatItShouldAsAWhole) {
  const SeenStream seen = feed_whole();
  EXPECT_EQ(seen.frames.size(), GetParam().frames);
  EXPECT_EQ(seen.malformed, GetParam().verdict);
}

TEST_P(StreamSplit, GivesTheSameForEverySplitInTwo) {
  const SeenStream whole = feed_whole();
  for (std::size_t cut = 0; cut <= size(); ++cut) {
    EXPECT_EQ(feed_cut_at(std::array{cut}), whole) << "cut at " << cut;
  }
}

TEST_P(StreamSplit, GivesTheSameOctetByOctet) {
  std::vector<std::size_t> cuts(size());
  std::iota(cuts.begin(), cuts.end(), std::size_t{0});
  EXPECT_EQ(feed_cut_at(cuts), feed_whole());
}

TEST_P(StreamSplit, GivesTheSameForRandomSplits) {
  const SeenStream whole = feed_whole();
  std::mt19937 random(20260101);
  for (int round = 0; round < 500; ++round) {
    std::vector<std::size_t> cuts(std::uniform_int_distribution<std::size_t>(1, 40)(random));
    std::ranges::generate(
        cuts, [&] { return std::uniform_int_distribution<std::size_t>(0, size())(random); });
    std::ranges::sort(cuts);
    EXPECT_EQ(feed_cut_at(cuts), whole) << "round " << round;
  }
}

INSTANTIATE_TEST_SUITE_P(Each, StreamSplit, testing::ValuesIn(streams()),
                         [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace meridian::test
