// Telemetry of real spacecraft, where a checkout has it. The figures are those of the README beside
// the files, which an independent reader counted.
#include "frame/space_packet.hpp"
#include "frame/space_packet_decoder.hpp"
#include "places.hpp"
#include "unit/frame/frame_samples.hpp"
#include "unit/frame/stream_driver.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

namespace meridian::test {

using namespace frame;
namespace {

struct TelemetryFile {
  const char* name;
  std::size_t octets;
  std::map<ChannelId, std::size_t> packets_by_apid;
  std::size_t discontinuities;  ///< of the 14-bit count, per APID
  std::size_t smallest_packet;
  std::size_t largest_packet;
};

void PrintTo(const TelemetryFile& file, std::ostream* out) {
  *out << file.name;
}

Octets contents_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  Octets octets;
  test::append(octets, std::as_bytes(std::span(text)));
  return octets;
}

class TelemetryFiles : public testing::TestWithParam<TelemetryFile> {
 protected:
  void SetUp() override {
    const std::filesystem::path path = test::telemetry_dir() / GetParam().name;
    if (!std::filesystem::exists(path)) {
      GTEST_SKIP() << "no " << path;
    }
    octets_ = contents_of(path);
    ASSERT_EQ(octets_.size(), GetParam().octets);
  }

  Octets octets_;
};

TEST_P(TelemetryFiles, DecodeToTheFiguresOfAnIndependentReader) {
  SpacePacketDecoder decoder(1, space_packet::max_packet_bytes);
  const SeenStream seen = test::feed(decoder, octets_);

  EXPECT_FALSE(seen.malformed.has_value());
  EXPECT_EQ(seen.consumed, octets_.size());
  EXPECT_EQ(seen.idle_packets, 0U);
  std::map<ChannelId, std::size_t> packets_by_apid;
  std::map<ChannelId, std::uint64_t> last;
  std::size_t discontinuities = 0;
  Octets joined;
  for (const SeenFrame& frame : seen.frames) {
    const ChannelId apid = frame.header.origin.channel_id;
    ++packets_by_apid[apid];
    if (const auto before = last.find(apid);
        before != last.end() && ((before->second + 1) & 0x3FFF) != frame.header.sequence) {
      ++discontinuities;
    }
    last[apid] = frame.header.sequence;
    EXPECT_GE(frame.payload.size(), GetParam().smallest_packet);
    EXPECT_LE(frame.payload.size(), GetParam().largest_packet);
    test::append(joined, frame.payload);
  }
  EXPECT_EQ(packets_by_apid, GetParam().packets_by_apid);
  EXPECT_EQ(discontinuities, GetParam().discontinuities);
  EXPECT_EQ(joined, octets_) << "the packets are not those of the file";
}

TEST_P(TelemetryFiles, DecodeAlikeInReadsOfAnySize) {
  SpacePacketDecoder whole_decoder(1, space_packet::max_packet_bytes);
  const SeenStream whole = test::feed(whole_decoder, octets_);
  for (const std::size_t read_bytes : {std::size_t{61}, std::size_t{1448}, std::size_t{65536}}) {
    std::vector<std::size_t> cuts;
    for (std::size_t cut = read_bytes; cut < octets_.size(); cut += read_bytes) {
      cuts.push_back(cut);
    }
    SpacePacketDecoder decoder(1, space_packet::max_packet_bytes);
    EXPECT_EQ(test::feed(decoder, octets_, cuts), whole) << read_bytes;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Each, TelemetryFiles,
    testing::Values(
        TelemetryFile{"cygnss_f7_first101.tlm",
                      14820,
                      {{393, 40}, {394, 39}, {1313, 9}, {392, 4}, {384, 4}, {386, 4}, {391, 1}},
                      9,
                      76,
                      1680},
        TelemetryFile{"csa_apid00400.tlm", 502824, {{400, 3444}}, 3443, 146, 146},
        TelemetryFile{"ssat1_apid001.tlm", 73848, {{1, 1448}}, 0, 51, 51},
        TelemetryFile{"ssat1_apid035.tlm", 367200, {{35, 7200}}, 0, 51, 51}),
    [](const auto& each) {
      const std::string name = each.param.name;
      return name.substr(0, name.find('.'));
    });

}  // namespace
}  // namespace meridian::test
