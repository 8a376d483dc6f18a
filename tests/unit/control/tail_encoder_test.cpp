#include "control/tail_encoder.hpp"

#include "unit/frame/frame_samples.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace meridian::test {

using namespace control;

namespace {

using nlohmann::json;

Request request(TailParams params, bool plain = false) {
  return {.method = Method::tail, .tail = params, .plain = plain, .id = RequestId(1)};
}

TailPiece piece(std::uint64_t lost = 0) {
  return {.batches = {}, .lost = lost};
}

std::vector<TailEncoder::Message> messages(TailEncoder& encoder) {
  std::vector<TailEncoder::Message> all;
  for (TailEncoder::Message message; encoder.next(message);) {
    all.push_back(message);
  }
  return all;
}

TEST(TailEncoder, BeginsWithAMessageOfNothing) {
  EXPECT_EQ(TailEncoder(request({})).begin().line,
            "{\"jsonrpc\":\"2.0\",\"method\":\"tail\",\"params\":{\"frames\":[],\"lost\":0}}\n");
  EXPECT_EQ(TailEncoder(request({}, true)).begin().line, "{\"frames\":[],\"lost\":0}\n");
  EXPECT_EQ(TailEncoder(request({.format = FrameFormat::binary}, true)).begin().line,
            "{\"frames\":0,\"bytes\":0,\"lost\":0}\n");
}

TEST(TailEncoder, WritesFramesAndThenTheLossAfterThem) {
  TailEncoder encoder(request({}, true));
  TailPiece next = piece(7);
  next.batches.push_back(batch_of_run({3, 4}, 5, 2));
  encoder.add(std::move(next));
  const auto all = messages(encoder);
  ASSERT_EQ(all.size(), 1U);
  const json line = json::parse(all.front().line);
  ASSERT_EQ(line.at("frames").size(), 2U);
  EXPECT_EQ(line.at("frames").at(1).at("satellite_id"), 3);
  EXPECT_EQ(line.at("frames").at(1).at("channel_id"), 4);
  EXPECT_EQ(line.at("frames").at(1).at("sequence"), 6);
  EXPECT_EQ(line.at("lost"), 7);
  EXPECT_EQ(encoder.told().frames, 2U);
  EXPECT_EQ(encoder.told().lost, 7U);
}

TEST(TailEncoder, LeavesOutWhatWasNotAskedFor) {
  TailEncoder encoder(request({.satellite_id = 1, .channel_id = 2}, true));
  TailPiece next = piece();
  next.batches.push_back(batch_of_run({1, 1}, 0, 1));
  next.batches.push_back(batch_of_run({1, 2}, 10, 1));
  next.batches.push_back(batch_of_run({2, 2}, 20, 1));
  encoder.add(std::move(next));
  const auto all = messages(encoder);
  ASSERT_EQ(all.size(), 1U);
  const json frames = json::parse(all.front().line).at("frames");
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_EQ(frames.at(0).at("sequence"), 10);
}

TEST(TailEncoder, WritesNothingWithoutFramesOrLosses) {
  TailEncoder encoder(request({.satellite_id = 9}));
  TailPiece next = piece();
  next.batches.push_back(batch_of_run({1, 1}, 0, 1));
  encoder.add(std::move(next));
  EXPECT_TRUE(messages(encoder).empty());
}

TEST(TailEncoder, StopsAtItsLimit) {
  TailEncoder encoder(request({.limit = 3}, true));
  TailPiece next = piece(5);
  next.batches.push_back(batch_of_run({1, 1}, 0, 2));
  next.batches.push_back(batch_of_run({1, 1}, 2, 2));
  encoder.add(std::move(next));
  const auto all = messages(encoder);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(json::parse(all.front().line).at("frames").size(), 3U);
  EXPECT_EQ(json::parse(all.front().line).at("lost"), 0) << "what came behind is nobody's loss";
  EXPECT_TRUE(encoder.reached_limit());
}

TEST(TailEncoder, GivesOctetsAsTheyCameInBinary) {
  TailEncoder encoder(request({.satellite_id = 1, .format = FrameFormat::binary}));
  const FrameBatch wanted = batch_of_run({1, 1}, 0, 3, 16);
  TailPiece next = piece(1);
  next.batches.push_back(batch_of_run({2, 1}, 0, 3, 16));
  next.batches.push_back(wanted.share());
  encoder.add(std::move(next));
  const auto all = messages(encoder);
  ASSERT_EQ(all.size(), 1U);
  const json params = json::parse(all.front().line).at("params");
  EXPECT_EQ(params.at("frames"), 3);
  EXPECT_EQ(params.at("bytes"), wanted.bytes());
  EXPECT_EQ(params.at("lost"), 1);
  ASSERT_EQ(all.front().octets.size(), 1U) << "frames in a row make one buffer";
  EXPECT_EQ(all.front().octets.front().data(), wanted.octets().data());
  EXPECT_EQ(all.front().octets.front().size(), wanted.bytes());
}

TEST(TailEncoder, MakesMessagesOfABoundedSize) {
  for (const FrameFormat format : {FrameFormat::json, FrameFormat::binary}) {
    TailEncoder encoder(request({.format = format}, true));
    TailPiece next = piece(2);
    next.batches.push_back(batch_of_run({1, 1}, 0, 10'000, 64));
    encoder.add(std::move(next));
    const auto all = messages(encoder);
    ASSERT_GT(all.size(), 2U);
    std::uint64_t frames = 0;
    for (const auto& message : all) {
      const json line = json::parse(message.line);
      frames += format == FrameFormat::json ? line.at("frames").size()
                                            : line.at("frames").get<std::uint64_t>();
      EXPECT_LT(message.line.size(), 2 * TailEncoder::message_bytes);
      EXPECT_EQ(line.at("lost"), &message == &all.back() ? 2 : 0);
    }
    EXPECT_EQ(frames, 10'000U);
  }
}

}  // namespace
}  // namespace meridian::test
