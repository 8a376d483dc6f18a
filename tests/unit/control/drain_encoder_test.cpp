#include "control/drain_encoder.hpp"

#include "integration/harness/frames.hpp"
#include "unit/frame/frame_samples.hpp"

#include <boost/asio/buffer.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace meridian::test {

using namespace control;

namespace {

using nlohmann::json;

constexpr std::size_t json_piece = DrainJsonEncoder::piece_bytes;
constexpr std::size_t binary_piece = DrainBinaryEncoder::piece_bytes;
constexpr std::size_t max_buffers = DrainBinaryEncoder::max_buffers;

/// A drain that is put together batch by batch.
class DrainSample {
 public:
  explicit DrainSample(std::uint64_t remaining = 0) { drained_.remaining = remaining; }

  DrainSample& add(FrameBatch batch) {
    drained_.taken.frames += batch.frames();
    drained_.taken.bytes += batch.bytes();
    drained_.batches.push_back({drained_.batches.size(), std::move(batch)});
    return *this;
  }
  [[nodiscard]] const Drained& drained() const { return drained_; }

 private:
  Drained drained_;
};

FrameBatch batch_of_one(const FrameHeader& fields, std::string_view payload,
                        const ReadStamp& stamp = {}) {
  FrameBatchBuilder builder;
  builder.append(fields, std::as_bytes(std::span(payload)));
  return builder.finish(stamp).value();
}

ReadStamp at(std::int64_t time_us) {
  return {.received_at = ReceiveTime(std::chrono::microseconds(time_us))};
}

std::vector<std::string> json_pieces(const Drained& drained) {
  DrainJsonEncoder encoder(drained);
  std::vector<std::string> pieces;
  for (std::string piece; encoder.next(piece);) {
    pieces.push_back(piece);
  }
  std::string after_the_last = "left over";
  EXPECT_FALSE(encoder.next(after_the_last));
  EXPECT_EQ(after_the_last, "");
  return pieces;
}

std::string joined(const std::vector<std::string>& pieces) {
  std::string text;
  for (const std::string& piece : pieces) {
    text += piece;
  }
  return text;
}

using BinaryPiece = std::vector<boost::asio::const_buffer>;

std::vector<BinaryPiece> binary_pieces(const Drained& drained) {
  DrainBinaryEncoder encoder(drained);
  std::vector<BinaryPiece> pieces;
  for (BinaryPiece piece; encoder.next(piece);) {
    pieces.push_back(piece);
  }
  return pieces;
}

Octets octets_of(const BinaryPiece& piece) {
  Octets octets;
  for (const boost::asio::const_buffer& buffer : piece) {
    append(octets, {static_cast<const std::byte*>(buffer.data()), buffer.size()});
  }
  return octets;
}

Octets octets_of(const Drained& drained) {
  Octets octets;
  for (const BufferedBatch& buffered : drained.batches) {
    append(octets, buffered.batch.octets());
  }
  return octets;
}

TEST(DrainJson, HasTheFieldsOfAFrameInOrder) {
  DrainSample sample(5);
  sample.add(batch_of_one(header(4294967295, 65535, 18446744073709551615U, true), "foo",
                          at(1'795'402'187'000'001)));
  EXPECT_EQ(joined(json_pieces(sample.drained())),
            R"({"frames":[{"satellite_id":4294967295,"channel_id":65535,)"
            R"("sequence":18446744073709551615,"stored":true,)"
            R"("received_at":"2026-11-23T02:49:47.000001Z","payload":"Zm9v"}],"remaining":5})");
}

TEST(DrainJson, OfNothingHasAnEmptyList) {
  const DrainSample sample(42);
  EXPECT_EQ(json_pieces(sample.drained()),
            std::vector<std::string>{R"({"frames":[],"remaining":42})"});
}

struct EncodedPayload {
  const char* name;
  std::string_view payload;
  const char* encoded;
};
void PrintTo(const EncodedPayload& payload, std::ostream* out) {
  *out << payload.name;
}

class EncodedPayloads : public testing::TestWithParam<EncodedPayload> {};

TEST_P(EncodedPayloads, AreInBase64) {
  DrainSample sample;
  sample.add(batch_of_one(header(1, 2, 3), GetParam().payload));
  const json frame = json::parse(joined(json_pieces(sample.drained()))).at("frames").at(0);
  EXPECT_EQ(frame.at("payload"), GetParam().encoded);
  EXPECT_EQ(frame.at("stored"), false);
}

// The words are the test vectors of RFC 4648.
INSTANTIATE_TEST_SUITE_P(
    Each, EncodedPayloads,
    testing::Values(EncodedPayload{"None", "", ""}, EncodedPayload{"OneOctet", "f", "Zg=="},
                    EncodedPayload{"TwoOctets", "fo", "Zm8="},
                    EncodedPayload{"ThreeOctets", "foo", "Zm9v"},
                    EncodedPayload{"FourOctets", "foob", "Zm9vYg=="},
                    EncodedPayload{"FiveOctets", "fooba", "Zm9vYmE="},
                    EncodedPayload{"SixOctets", "foobar", "Zm9vYmFy"},
                    EncodedPayload{"LastDigits", "\xFB\xFF\xBE", "+/++"},
                    EncodedPayload{"Zeros", std::string_view("\0\0\0", 3), "AAAA"}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(DrainJson, OfManyFramesComesInBoundedPieces) {
  constexpr std::uint32_t frames_each = 5'000;
  constexpr std::uint64_t batches = 4;
  DrainSample sample(9);
  for (std::uint64_t i = 0; i < batches; ++i) {
    sample.add(batch_of_run({7, 8}, i * frames_each, frames_each, 64,
                            at(static_cast<std::int64_t>(i) * 1'000'000)));
  }

  const std::vector<std::string> pieces = json_pieces(sample.drained());

  constexpr std::size_t longest_frame = 300;  // as text
  EXPECT_GT(pieces.size(), 10U);
  for (const std::string& piece : pieces) {
    EXPECT_LT(piece.size(), json_piece + longest_frame);
    EXPECT_TRUE(piece.size() >= json_piece || &piece == &pieces.back()) << "a piece too small";
  }
  const json drained = json::parse(joined(pieces));
  EXPECT_EQ(drained.at("remaining"), 9);
  ASSERT_EQ(drained.at("frames").size(), batches * frames_each);
  for (std::uint64_t i = 0; i < batches * frames_each; ++i) {
    const json& frame = drained.at("frames").at(i);
    ASSERT_EQ(frame.at("sequence"), i);
    ASSERT_EQ(frame.at("received_at"),
              "1970-01-01T00:00:0" + std::to_string(i / frames_each) + ".000000Z");
    const Octets payload = sample_payload(64, i);
    const std::string decoded = test::decode_base64(frame.at("payload").get<std::string>());
    ASSERT_TRUE(std::ranges::equal(std::as_bytes(std::span(decoded)), payload)) << i;
  }
}

TEST(DrainJson, HasALargeFrameInOnePiece) {
  DrainSample sample;
  sample.add(batch_of_run({1, 1}, 0, 1));
  sample.add(batch_of_run({1, 1}, 1, 1, 3 * json_piece));
  sample.add(batch_of_run({1, 1}, 2, 1));

  const std::vector<std::string> pieces = json_pieces(sample.drained());

  ASSERT_EQ(pieces.size(), 2U);
  EXPECT_THAT(pieces[0], testing::HasSubstr(R"("sequence":1)"));
  EXPECT_THAT(pieces[1], testing::StartsWith(R"(,{"satellite_id":1,"channel_id":1,"sequence":2)"));
  const json frames = json::parse(joined(pieces)).at("frames");
  const std::string decoded = test::decode_base64(frames.at(1).at("payload").get<std::string>());
  EXPECT_TRUE(
      std::ranges::equal(std::as_bytes(std::span(decoded)), sample_payload(3 * json_piece, 1)));
}

TEST(DrainJson, EndsWithAFrameThatFillsAPiece) {
  DrainSample sample(1);
  sample.add(batch_of_run({1, 1}, 0, 1, json_piece));
  const std::vector<std::string> pieces = json_pieces(sample.drained());
  ASSERT_EQ(pieces.size(), 1U);
  EXPECT_TRUE(pieces[0].ends_with(R"("}],"remaining":1})"));
}

TEST(DrainBinary, OfNothingHasNoPiece) {
  const DrainSample sample(42);
  EXPECT_TRUE(binary_pieces(sample.drained()).empty());
}

TEST(DrainBinary, GivesTheOctetsWithoutCopyingThem) {
  DrainSample sample;
  sample.add(batch_of_run({1, 2}, 0, 10, 64)).add(batch_of_run({3, 4}, 7, 1));
  const std::vector<BinaryPiece> pieces = binary_pieces(sample.drained());
  ASSERT_EQ(pieces.size(), 1U);
  ASSERT_EQ(pieces[0].size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    const std::span<const std::byte> octets = sample.drained().batches[i].batch.octets();
    EXPECT_EQ(pieces[0][i].data(), octets.data());
    EXPECT_EQ(pieces[0][i].size(), octets.size());
  }
}

TEST(DrainBinary, HasABoundedNumberOfBuffersPerPiece) {
  DrainSample sample;
  for (std::uint64_t i = 0; i < 2 * max_buffers + 1; ++i) {
    sample.add(batch_of_run({1, 1}, i, 1, i % 7));
  }
  const std::vector<BinaryPiece> pieces = binary_pieces(sample.drained());
  ASSERT_EQ(pieces.size(), 3U);
  EXPECT_EQ(pieces[0].size(), max_buffers);
  EXPECT_EQ(pieces[1].size(), max_buffers);
  EXPECT_EQ(pieces[2].size(), 1U);
  Octets all;
  for (const BinaryPiece& piece : pieces) {
    append(all, octets_of(piece));
  }
  EXPECT_EQ(all, octets_of(sample.drained()));
}

TEST(DrainBinary, EndsAPieceOnceItIsLargeEnough) {
  constexpr std::size_t batch_bytes = 60'000;
  DrainSample sample;
  for (std::uint64_t i = 0; i < 20; ++i) {
    sample.add(batch_of_run({1, 1}, i, 1, batch_bytes - frame_header_bytes));
  }
  const std::vector<BinaryPiece> pieces = binary_pieces(sample.drained());
  Octets all;
  for (const BinaryPiece& piece : pieces) {
    const Octets octets = octets_of(piece);
    EXPECT_LT(octets.size(), binary_piece + batch_bytes);
    EXPECT_TRUE(octets.size() >= binary_piece || &piece == &pieces.back()) << "a piece too small";
    append(all, octets);
  }
  EXPECT_EQ(pieces.size(), 4U);
  EXPECT_EQ(all, octets_of(sample.drained()));
}

TEST(DrainBinary, HasABatchLargerThanAPieceAlone) {
  DrainSample sample;
  sample.add(batch_of_run({1, 1}, 0, 1, 2 * binary_piece)).add(batch_of_run({1, 1}, 1, 1));
  const std::vector<BinaryPiece> pieces = binary_pieces(sample.drained());
  ASSERT_EQ(pieces.size(), 2U);
  EXPECT_EQ(octets_of(pieces[0]).size(), 2 * binary_piece + frame_header_bytes);
  EXPECT_EQ(octets_of(pieces[1]).size(), frame_header_bytes);
}

TEST(RedeliveredRanges, AreThoseOfMarkedBatches) {
  DrainSample sample;
  for (const bool marked : {false, true, true, false, true}) {
    FrameBatch batch = batch_of_run({1, 1}, 0, 2);
    if (marked) {
      batch.mark_redelivered();
    }
    sample.add(std::move(batch));
  }
  EXPECT_EQ(redelivered_ranges(sample.drained()).dump(), "[[2,4],[8,2]]");
  EXPECT_TRUE(redelivered_ranges(DrainSample().drained()).empty());
}

TEST(DrainJsonEncoder, MarksRedeliveredFramesAndAddsFields) {
  DrainSample sample;
  FrameBatch batch = batch_of_run({1, 1}, 0, 1);
  batch.mark_redelivered();
  sample.add(std::move(batch)).add(batch_of_run({1, 1}, 1, 1));
  DrainJsonEncoder encoder(sample.drained(), R"(,"lease":7)");
  std::string whole;
  std::string piece;
  while (encoder.next(piece)) {
    whole += piece;
  }
  const json answer = json::parse(whole);
  EXPECT_EQ(answer.at("lease"), 7);
  EXPECT_EQ(answer.at("frames").at(0).at("redelivered"), true);
  EXPECT_FALSE(answer.at("frames").at(1).contains("redelivered"));
}

}  // namespace
}  // namespace meridian::test
