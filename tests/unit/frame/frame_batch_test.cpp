#include "frame/native_decoder.hpp"
#include "frame/run_builder.hpp"
#include "unit/frame/frame_samples.hpp"
#include "unit/frame/stream_driver.hpp"

#include <meridian/frame_batch.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

namespace meridian::test {

using namespace frame;
namespace {

using testing::ElementsAre;

static_assert(!std::is_copy_constructible_v<FrameBatch>, "a batch is not copied by accident");
static_assert(!std::is_copy_assignable_v<FrameBatch>);
static_assert(std::is_nothrow_move_constructible_v<FrameBatch>);
static_assert(std::is_nothrow_move_assignable_v<FrameBatch>);
static_assert(std::forward_iterator<FrameBatch::Iterator>);

/// Three satellites in turn, with sequences of their own and payloads of several lengths.
FrameBatch interleaved_batch(std::uint32_t frames) {
  FrameBatchBuilder builder;
  for (std::uint32_t i = 0; i < frames; ++i) {
    builder.append(header(i % 3, 0, 100 + i / 3), sample_payload(i % 5, i));
  }
  return builder.finish({.session = 4}).value();
}

/// The same batch as a decoder makes it, which knows its frames.
FrameBatch decoded(const FrameBatch& batch) {
  RunBuilder runs(batch.stamp().width);
  for (const FrameView frame : batch) {
    runs.add(frame.header.origin, frame.header.sequence, frame.octets.size());
  }
  return FrameBatch(copy_to_slab(batch.octets()), runs.take(), batch.stamp());
}

std::vector<meridian::Run> walk(const FrameBatch& batch) {
  return FrameBatch(batch.share()).find_runs();
}

TEST(FrameBatchBuilder, KeepsFramesInTheOrderOfTheirAppending) {
  FrameBatchBuilder builder;
  builder.append(header(1, 2, 3, true), sample_payload(4));
  builder.append(header(5, 6, 7), {});
  const auto batch = builder.finish({.session = 9, .width = SequenceWidth::bits14});
  ASSERT_TRUE(batch.has_value());
  EXPECT_EQ(batch->frames(), 2U);
  EXPECT_EQ(batch->bytes(), 44U);
  EXPECT_EQ(batch->stamp().session, 9U);
  EXPECT_EQ(batch->stamp().width, SequenceWidth::bits14);
  EXPECT_THAT(frames_of(*batch), ElementsAre(SeenFrame{header(1, 2, 3, true), sample_payload(4)},
                                             SeenFrame{header(5, 6, 7), {}}));
}

TEST(FrameBatchBuilder, MakesNoBatchOfNothing) {
  FrameBatchBuilder builder;
  EXPECT_FALSE(builder.finish({}).has_value());
}

TEST(FrameBatchBuilder, IsEmptyAfterFinish) {
  FrameBatchBuilder builder;
  builder.append(header(1, 2, 3), {});
  EXPECT_TRUE(builder.finish({}).has_value());
  EXPECT_FALSE(builder.finish({}).has_value());
  builder.append(header(1, 2, 4), {});
  EXPECT_THAT(frames_of(builder.finish({}).value()), ElementsAre(SeenFrame{header(1, 2, 4), {}}));
}

TEST(FrameBatchBuilder, RefusesToGrowBeyondFourGigabytes) {
  FrameBatchBuilder builder;
  builder.append(header(1, 2, 3), {});
  // Never read: only its size counts.
  const std::span<const std::byte> huge(static_cast<const std::byte*>(nullptr),
                                        std::size_t{0xFFFFFFFF} - 40 + 1);
  EXPECT_THROW(builder.append(header(1, 2, 4), huge), std::length_error);
  EXPECT_EQ(builder.finish({}).value().frames(), 1U);
}

TEST(FrameBatch, IteratesOverEachFrameOnce) {
  const FrameBatch batch = interleaved_batch(10);
  EXPECT_EQ(std::ranges::distance(batch), 10);
  std::uint32_t i = 0;
  for (const FrameView frame : batch) {
    EXPECT_EQ(frame.header, header(i % 3, 0, 100 + i / 3));
    EXPECT_TRUE(std::ranges::equal(frame.payload(), sample_payload(i % 5, i)));
    ++i;
  }
  auto at = batch.begin();
  EXPECT_EQ((*at++).header.origin.satellite_id, 0U);
  EXPECT_EQ((*at).header.origin.satellite_id, 1U);
}

TEST(FrameBatch, SplitsAnywhereWithoutLossOrCopy) {
  const std::vector<SeenFrame> all = frames_of(interleaved_batch(10));
  for (std::uint32_t count = 1; count < 10; ++count) {
    FrameBatch rest = interleaved_batch(10);
    const std::byte* const start = rest.octets().data();
    const FrameBatch front = rest.split_front(count);
    EXPECT_EQ(front.frames(), count);
    EXPECT_EQ(rest.frames(), 10 - count);
    EXPECT_EQ(front.octets().data(), start);
    EXPECT_EQ(rest.octets().data(), start + front.bytes()) << "the octets were copied";
    EXPECT_EQ(rest.stamp().session, 4U);
    EXPECT_EQ(front.stamp().session, 4U);
    std::vector<SeenFrame> joined = frames_of(front);
    std::ranges::move(frames_of(rest), std::back_inserter(joined));
    EXPECT_EQ(joined, all) << count;
  }
}

TEST(FrameBatch, KnowsItsRunsAfterASplit) {
  Octets stream;
  for (std::uint32_t i = 0; i < 10; ++i) {
    append(stream, native_frame(header(1, 0, i < 6 ? i : i + 100), sample_payload(i)));
  }
  NativeDecoder decoder(100);
  FrameBatch rest = std::move(decoder.decode(in_slab(stream), {}).batch).value();
  EXPECT_THAT(
      rest.find_runs(),
      ElementsAre(meridian::Run{.origin = {1, 0}, .frames = 6, .first = 0, .bytes = 135},
                  meridian::Run{.origin = {1, 0}, .frames = 4, .first = 106, .bytes = 110}));

  const FrameBatch front = rest.split_front(4);

  EXPECT_THAT(front.find_runs(),
              ElementsAre(meridian::Run{.origin = {1, 0}, .frames = 4, .first = 0, .bytes = 86}));
  EXPECT_THAT(
      rest.find_runs(),
      ElementsAre(meridian::Run{.origin = {1, 0}, .frames = 2, .first = 4, .bytes = 49},
                  meridian::Run{.origin = {1, 0}, .frames = 4, .first = 106, .bytes = 110}));
}

TEST(FrameBatch, FindsTheRunsThatTheDecoderFound) {
  Octets stream;
  const FrameBatch source = interleaved_batch(60);
  append(stream, source.octets());
  NativeDecoder decoder(100);
  const FrameBatch decoded = std::move(decoder.decode(in_slab(stream), {}).batch).value();
  EXPECT_EQ(decoded.find_runs(), source.find_runs());
  EXPECT_EQ(decoded.find_runs().size(), 3U);
}

TEST(FrameBatch, VisitsTheRunsItFinds) {
  const FrameBatch batch = interleaved_batch(9);
  std::vector<meridian::Run> visited;
  batch.for_each_run([&](const meridian::Run& run) { visited.push_back(run); });
  EXPECT_EQ(visited, walk(batch));
  EXPECT_EQ(visited.size(), 3U);
}

TEST(FrameBatch, WalksRunsInTheWidthOfItsCounter) {
  const std::vector<FrameHeader> headers{header(1, 1, 16383), header(1, 1, 0)};
  EXPECT_EQ(batch_of(headers, 0, {.width = SequenceWidth::bits14}).find_runs().size(), 1U);
  EXPECT_EQ(batch_of(headers, 0, {.width = SequenceWidth::bits64}).find_runs().size(), 2U);
}

TEST(FrameBatch, SharesItsOctets) {
  FrameBatch first = batch_of_run({1, 2}, 0, 5, 10);
  const std::vector<SeenFrame> all = frames_of(first);
  const FrameBatch second = first.share();
  EXPECT_EQ(second.octets().data(), first.octets().data());
  // Each goes on by itself, and outlives the other.
  std::ignore = first.split_front(3);
  first = batch_of_run({9, 9}, 0, 1);
  EXPECT_EQ(frames_of(second), all);
}

TEST(FrameBatch, KeepsItsSlabWhileAnyPartLives) {
  auto slab = std::make_shared<std::byte[]>(frame_header_bytes * 2);
  const std::weak_ptr<const std::byte[]> alive = slab;
  const std::span<std::byte> octets(slab.get(), frame_header_bytes * 2);
  write_frame_header(header(1, 1, 1), 0, octets.first<frame_header_bytes>());
  write_frame_header(header(1, 1, 2), 0, octets.subspan<frame_header_bytes, frame_header_bytes>());
  SlabRange range{.slab = std::move(slab), .slab_bytes = octets.size(), .octets = octets};
  std::optional<FrameBatch> whole(std::in_place, std::move(range), FrameSummary{.frames = 2},
                                  ReadStamp{});
  std::optional<FrameBatch> front(whole->split_front(1));
  whole.reset();
  EXPECT_FALSE(alive.expired());
  EXPECT_THAT(frames_of(*front), ElementsAre(SeenFrame{header(1, 1, 1), {}}));
  front.reset();
  EXPECT_TRUE(alive.expired());
}

TEST(FrameBatch, ReleasesASlabLessThanHalfFull) {
  FrameBatch batch = batch_of_run({1, 1}, 0, 10, 80);
  const std::byte* const slab = batch.octets().data();
  FrameBatch front = batch.split_front(5);
  front.compact();
  EXPECT_EQ(front.octets().data(), slab) << "half is enough";
  FrameBatch few = batch.split_front(4);
  few.compact();
  EXPECT_NE(few.octets().data(), slab + front.bytes());
  EXPECT_EQ(few.footprint(), few.bytes());
  EXPECT_THAT(frames_of(few), testing::SizeIs(4));
  EXPECT_EQ(few.find_runs().at(0).first, 5U);
}

TEST(FrameBatch, ForgetsRunsThatAreLargeBesideItsOctets) {
  const meridian::Run run{.origin = {1, 1}, .frames = 1, .first = 7, .bytes = 20};
  FrameBatch lone(in_slab(batch_of_run({1, 1}, 7, 1).octets()), {.frames = 1, .runs = {run}}, {});
  EXPECT_GT(lone.footprint(), lone.bytes());
  lone.compact();
  EXPECT_EQ(lone.footprint(), lone.bytes());
  EXPECT_EQ(lone.find_runs().at(0).first, 7U);
}

TEST(FrameBatch, CountsLeadingFramesWithinBothBounds) {
  const std::vector<FrameHeader> headers(4, header(1, 1, 1));
  const FrameBatch batch = batch_of(headers, 10);  // 4 frames of 30 octets
  constexpr std::uint64_t any = 1'000'000;
  EXPECT_EQ(batch.leading_frames_within(any, any), 4U);
  EXPECT_EQ(batch.leading_frames_within(4, 120), 4U);
  EXPECT_EQ(batch.leading_frames_within(3, any), 3U);
  EXPECT_EQ(batch.leading_frames_within(0, any), 0U);
  EXPECT_EQ(batch.leading_frames_within(any, 119), 3U);
  EXPECT_EQ(batch.leading_frames_within(any, 90), 3U);
  EXPECT_EQ(batch.leading_frames_within(any, 89), 2U);
  EXPECT_EQ(batch.leading_frames_within(any, 29), 0U);
  EXPECT_EQ(batch.leading_frames_within(any, 0), 0U);
  EXPECT_EQ(batch.leading_frames_within(1, 90), 1U);
  EXPECT_EQ(batch.leading_frames_within(3, 60), 2U);
  EXPECT_EQ(batch.leading_frames_within(~std::uint64_t{0}, any), 4U);
}

TEST(FrameBatch, CountsTheFewestFramesThatReachBothAmounts) {
  for (const bool knows : {true, false}) {
    const FrameBatch plain = batch_of_run({1, 1}, 0, 4, 10);  // of 30 octets
    const FrameBatch batch = knows ? decoded(plain) : plain.share();
    EXPECT_EQ(batch.leading_frames_reaching(0, 0), 0U);
    EXPECT_EQ(batch.leading_frames_reaching(3, 0), 3U);
    EXPECT_EQ(batch.leading_frames_reaching(4, 0), 4U);
    EXPECT_EQ(batch.leading_frames_reaching(99, 0), 4U);
    EXPECT_EQ(batch.leading_frames_reaching(0, 1), 1U);
    EXPECT_EQ(batch.leading_frames_reaching(0, 30), 1U);
    EXPECT_EQ(batch.leading_frames_reaching(0, 31), 2U);
    EXPECT_EQ(batch.leading_frames_reaching(3, 31), 3U);
    EXPECT_EQ(batch.leading_frames_reaching(1, 90), 3U);
    EXPECT_EQ(batch.leading_frames_reaching(0, 120), 4U);
    EXPECT_EQ(batch.leading_frames_reaching(0, 121), 4U);
  }
}

TEST(FrameBatch, KeepsAnOriginsRunThroughASplit) {
  FrameBatch rest =
      decoded(batch_of_run({1, 2}, largest_sequence(SequenceWidth::bits64) - 1, 5, 10));
  const FrameBatch front = rest.split_front(3);
  EXPECT_THAT(front.find_runs(),
              ElementsAre(meridian::Run{.origin = {1, 2},
                                        .frames = 3,
                                        .first = largest_sequence(SequenceWidth::bits64) - 1,
                                        .bytes = 90}));
  EXPECT_THAT(rest.find_runs(),
              ElementsAre(meridian::Run{.origin = {1, 2}, .frames = 2, .first = 1, .bytes = 60}));
  EXPECT_EQ(rest.footprint() - front.footprint(), 0U) << "one of them has forgotten its run";
}

TEST(FrameBatch, SplitsEqualFramesLikeOthers) {
  for (std::uint32_t count = 1; count < 10; ++count) {
    FrameBatch known = decoded(batch_of_run({1, 1}, 0, 10, 3));
    FrameBatch walked = batch_of_run({1, 1}, 0, 10, 3);
    EXPECT_EQ(frames_of(known.split_front(count)), frames_of(walked.split_front(count)));
    EXPECT_EQ(frames_of(known), frames_of(walked));
  }
}

TEST(FrameBatch, KnowsItsSatellitesOnceAsked) {
  const std::vector<FrameHeader> headers{header(7, 1, 0), header(3, 1, 0), header(7, 2, 0),
                                         header(5, 1, 0), header(3, 1, 1)};
  FrameBatch batch = batch_of(headers);
  EXPECT_FALSE(batch.knows_satellites());
  EXPECT_THAT(batch.satellites(), ElementsAre(3, 5, 7));
  EXPECT_TRUE(batch.share().knows_satellites());

  FrameBatch front = batch.split_front(2);
  EXPECT_THAT(front.satellites(), ElementsAre(3, 7));
  EXPECT_THAT(batch.satellites(), ElementsAre(3, 5, 7));
  FrameBatch fives =
      batch.take_if([](const FrameView& frame) { return frame.header.origin.satellite_id == 5; });
  EXPECT_THAT(fives.satellites(), ElementsAre(5));
  EXPECT_THAT(batch.satellites(), ElementsAre(3, 7));
}

TEST(FrameBatch, FindsSatellitesHoweverManyThereAre) {
  std::vector<FrameHeader> headers;
  std::vector<SatelliteId> expected;
  for (SatelliteId satellite = 0; satellite < 100; ++satellite) {
    expected.push_back(satellite);
    headers.push_back(header(99 - satellite, 1, 0));
    headers.push_back(header(satellite, 2, 0));
  }
  FrameBatch batch = batch_of(headers);
  EXPECT_THAT(batch.satellites(), testing::ElementsAreArray(expected));
}

}  // namespace
}  // namespace meridian::test
