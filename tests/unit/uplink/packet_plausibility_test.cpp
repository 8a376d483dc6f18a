#include "uplink/packet_plausibility.hpp"

#include "places.hpp"
#include "unit/frame/frame_samples.hpp"

#include <meridian/decoder.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <ostream>
#include <random>
#include <string>
#include <vector>

namespace meridian::test {

using namespace uplink;

namespace {

using Verdict = PacketPlausibility::Verdict;

/// What a session makes of a stream that comes in reads of so many octets.
struct Judged {
  Verdict verdict = Verdict::open;
  std::optional<Malformed> malformed;
  std::size_t frames = 0;
};

Judged judge(const Octets& stream, std::size_t read_bytes = 1448) {
  const auto decoder = make_decoder(
      {.framing = Framing::ccsds_space_packet, .satellite_id = 1, .max_payload_bytes = 65542});
  PacketPlausibility plausibility;
  Judged judged;
  Octets rest;
  for (std::size_t at = 0; at < stream.size() && !judged.malformed; at += read_bytes) {
    append(rest, std::span(stream).subspan(at, std::min(read_bytes, stream.size() - at)));
    const Decoded found = decoder->decode(test::in_slab(rest), {.width = SequenceWidth::bits14});
    rest.erase(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(found.consumed));
    judged.malformed = found.malformed;
    if (found.batch) {
      judged.frames += found.batch->frames();
      if (judged.verdict == Verdict::open) {
        judged.verdict = plausibility.judge(*found.batch);
      }
    }
  }
  if (judged.verdict == Verdict::open && !judged.malformed) {
    judged.verdict = plausibility.at_the_end();
  }
  return judged;
}

/// Packets of one APID whose counts are these.
Octets packets_with(const std::vector<std::uint64_t>& counts, std::size_t bytes = 30) {
  Octets stream;
  for (const std::uint64_t count : counts) {
    append(stream, test::space_packet(100, static_cast<std::uint16_t>(count & 0x3FFF), bytes));
  }
  return stream;
}

std::vector<std::uint64_t> counts(std::size_t many, std::uint64_t first, std::uint64_t step) {
  std::vector<std::uint64_t> all;
  for (std::size_t i = 0; i < many; ++i) {
    all.push_back(first + i * step);
  }
  return all;
}

TEST(PacketPlausibility, IsGivenWhereCountsFollowEachOther) {
  EXPECT_EQ(judge(packets_with(counts(40, 0, 1))).verdict, Verdict::plausible);
  EXPECT_EQ(judge(packets_with(counts(40, 16'370, 1))).verdict, Verdict::plausible) << "roll-over";
  EXPECT_EQ(judge(packets_with(counts(40, 5, 371))).verdict, Verdict::plausible) << "decimated";
  std::vector<std::uint64_t> twice;
  for (std::uint64_t i = 0; i < 40; ++i) {
    twice.insert(twice.end(), {i, i});
  }
  EXPECT_EQ(judge(packets_with(twice)).verdict, Verdict::plausible) << "each comes twice";
}

TEST(PacketPlausibility, IsGivenWhereACounterBeginsAnew) {
  std::vector<std::uint64_t> anew = counts(7, 9000, 1);
  std::ranges::copy(counts(20, 0, 1), std::back_inserter(anew));
  EXPECT_EQ(judge(packets_with(anew)).verdict, Verdict::plausible);
}

TEST(PacketPlausibility, IsNotGivenWhereCountsAreAnything) {
  std::mt19937 random(27);
  std::vector<std::uint64_t> wild;
  for (int i = 0; i < 40; ++i) {
    wild.push_back(random());
  }
  EXPECT_EQ(judge(packets_with(wild)).verdict, Verdict::implausible);
  EXPECT_EQ(judge(Octets(1000)).verdict, Verdict::implausible) << "zeros";
}

TEST(PacketPlausibility, IsOpenWhileNoApidComesTwice) {
  Octets stream;
  for (std::uint16_t apid = 0; apid < 200; ++apid) {
    append(stream, test::space_packet(apid, apid, 10));
  }
  EXPECT_EQ(judge(stream).verdict, Verdict::open);
  EXPECT_EQ(judge(packets_with({1, 9000, 5})).verdict, Verdict::open) << "too few to tell";
}

TEST(PacketPlausibility, OfFewPacketsIsJudgedAtTheEnd) {
  EXPECT_EQ(judge(packets_with(counts(5, 7, 1))).verdict, Verdict::plausible);
  EXPECT_EQ(judge(packets_with({1, 9000, 5, 7000, 20})).verdict, Verdict::implausible);
}

TEST(PacketPlausibility, LooksAtSoManyPacketsAndNoFurther) {
  // More APIDs than are remembered, so that those beyond are never judged.
  Octets stream;
  for (std::uint16_t round = 0; round < 4; ++round) {
    for (std::uint16_t apid = 0; apid < 2000; ++apid) {
      if (round == 0 || apid >= PacketPlausibility::most_apids) {
        append(stream, test::space_packet(apid, 0, 1));
      }
    }
  }
  EXPECT_EQ(judge(stream).verdict, Verdict::plausible);
}

Octets contents_of_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  Octets octets;
  append(octets, std::as_bytes(std::span(text)));
  return octets;
}

std::vector<std::filesystem::path> telemetry_files() {
  std::vector<std::filesystem::path> files;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(test::telemetry_dir(), none)) {
    if (entry.path().extension() == ".tlm") {
      files.push_back(entry.path());
    }
  }
  return files;
}

TEST(RealTelemetry, IsPlausibleFromAnyPacketOn) {
  const auto files = telemetry_files();
  if (files.empty()) {
    GTEST_SKIP() << "no telemetry in " << test::telemetry_dir();
  }
  for (const auto& file : files) {
    Octets stream = contents_of_file(file);
    for (int start = 0; start < 60; ++start) {
      for (const std::size_t read_bytes : {std::size_t{100}, std::size_t{1448}, stream.size()}) {
        const Octets piece(stream.begin(),
                           stream.begin() + std::min<std::ptrdiff_t>(std::ssize(stream), 20'000));
        EXPECT_NE(judge(piece, read_bytes).verdict, Verdict::implausible) << file << " " << start;
      }
      const auto length = std::to_integer<std::size_t>(stream.at(4)) << 8U |
                          std::to_integer<std::size_t>(stream.at(5));
      stream.erase(stream.begin(), stream.begin() + static_cast<std::ptrdiff_t>(7 + length));
    }
  }
}

/// Something that is put in front of each packet, or that frames are made of.
struct OtherStream {
  const char* name;
  std::function<Octets(std::uint64_t index, std::size_t payload)> record;
};
void PrintTo(const OtherStream& stream, std::ostream* out) {
  *out << stream.name;
}

Octets big(std::uint64_t value, int octets) {
  Octets out;
  for (int shift = 8 * (octets - 1); shift >= 0; shift -= 8) {
    out.push_back(static_cast<std::byte>(value >> static_cast<unsigned>(shift) & 0xFF));
  }
  return out;
}

Octets before_a_packet(Octets record_header, std::uint64_t index, std::size_t payload) {
  append(record_header,
         test::space_packet(100, static_cast<std::uint16_t>(index & 0x3FFF), payload));
  return record_header;
}

class OtherStreams : public testing::TestWithParam<OtherStream> {};

TEST_P(OtherStreams, AreRefusedOrImplausible) {
  for (const std::size_t payload : {20U, 50U, 200U, 1000U}) {
    Octets stream;
    for (std::uint64_t i = 0; i < 3000; ++i) {
      append(stream, GetParam().record(i, payload));
    }
    const Judged judged = judge(stream);
    EXPECT_TRUE(judged.malformed.has_value() || judged.verdict == Verdict::implausible)
        << payload << ": " << judged.frames << " frames";
  }
}

INSTANTIATE_TEST_SUITE_P(
    Each, OtherStreams,
    testing::Values(
        OtherStream{"RecordLengths32",
                    [](auto i, auto n) { return before_a_packet(big(n + 6, 4), i, n); }},
        OtherStream{"RecordLengths16",
                    [](auto i, auto n) { return before_a_packet(big(n + 6, 2), i, n); }},
        OtherStream{
            "Times",
            [](auto i, auto n) { return before_a_packet(big(1'700'000'000 + i, 4), i, n); }},
        OtherStream{"TimesInMicroseconds",
                    [](auto i, auto n) {
                      return before_a_packet(big(1'700'000'000'000'000 + 1000 * i, 8), i, n);
                    }},
        OtherStream{"Zeros", [](auto i, auto n) { return before_a_packet(Octets(16), i, n); }},
        OtherStream{
            "NativeFrames",
            [](auto i, auto n) { return test::native_frame(test::header(7, 0, i), Octets(n)); }},
        OtherStream{"NativeFramesOfAHighNumber",
                    [](auto i, auto n) {
                      return test::native_frame(test::header(70'000, 3, i),
                                                test::sample_payload(n, i));
                    }},
        OtherStream{"Text", [](auto, auto n) { return Octets(n, std::byte{'a'}); }}),
    [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace meridian::test
