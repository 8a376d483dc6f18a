#include "frame/decoder.hpp"
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
#include <limits>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

namespace meridian {
namespace {

using testing::append;
using testing::batch_of;
using testing::batch_of_run;
using ::testing::ElementsAre;
using testing::frames_of;
using testing::header;
using testing::in_slab;
using testing::native_frame;
using testing::Octets;
using testing::sample_payload;
using testing::SeenFrame;

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

TEST(FrameBatchBuilder, RefusesAPayloadWithWhichItWouldPassFourGigabytes) {
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

TEST(FrameBatch, FindsTheSameRunsByWalkingAsTheDecoderDid) {
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

TEST(FrameBatch, KeepsItsSlabForAsLongAsAPartOfItLives) {
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

TEST(FrameBatch, LetsGoOfASlabThatItFillsLessThanHalf) {
  FrameBatch batch = batch_of_run({1, 1}, 0, 10, 80);
  const std::byte* const slab = batch.octets().data();
  FrameBatch front = batch.split_front(5);
  front.compact();
  EXPECT_EQ(front.octets().data(), slab) << "half is enough";
  FrameBatch few = batch.split_front(4);
  few.compact();
  EXPECT_NE(few.octets().data(), slab + front.bytes());
  EXPECT_EQ(few.footprint(), few.bytes());
  EXPECT_THAT(frames_of(few), ::testing::SizeIs(4));
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

TEST(FrameBatch, CountsTheFewestLeadingFramesThatReachBothAmounts) {
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

TEST(FrameBatch, KeepsTheRunOfAnOriginThroughASplit) {
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

TEST(FrameBatch, SplitsFramesOfEqualSizeAsItSplitsOthers) {
  for (std::uint32_t count = 1; count < 10; ++count) {
    FrameBatch known = decoded(batch_of_run({1, 1}, 0, 10, 3));
    FrameBatch walked = batch_of_run({1, 1}, 0, 10, 3);
    EXPECT_EQ(frames_of(known.split_front(count)), frames_of(walked.split_front(count)));
    EXPECT_EQ(frames_of(known), frames_of(walked));
  }
}

/// Reads that stand one behind the other in one slab, as the buffer puts them.
class JoinedReads : public ::testing::Test {
 protected:
  static constexpr std::size_t slab_bytes = 4096;

  /// One read, received so many microseconds after the first.
  FrameBatch read(std::uint64_t first, std::uint32_t frames, std::int64_t microseconds,
                  std::size_t payload_bytes = 0, SequenceWidth width = SequenceWidth::bits64) {
    const FrameBatch batch = batch_of_run({1, 1}, first, frames, payload_bytes);
    const std::span<std::byte> copy =
        std::span(slab_.get(), slab_bytes).subspan(used_, batch.bytes());
    std::ranges::copy(batch.octets(), copy.begin());
    used_ += batch.bytes();
    return FrameBatch({.slab = slab_, .slab_bytes = slab_bytes, .octets = copy}, {.frames = frames},
                      {.session = first + 1,
                       .read = 1,
                       .received_at = begun + std::chrono::microseconds(microseconds),
                       .width = width});
  }

  /// Of each frame, its sequence and when it was received.
  static std::vector<std::pair<std::uint64_t, std::int64_t>> times_of(const FrameBatch& batch) {
    std::vector<std::pair<std::uint64_t, std::int64_t>> times;
    std::size_t offset = 0;
    for (const FrameView frame : batch) {
      times.emplace_back(frame.header.sequence, (batch.received_at(offset) - begun).count());
      offset += frame.octets.size();
    }
    return times;
  }

  static constexpr ReceiveTime begun{std::chrono::microseconds(1'700'000'000'000'000)};

 private:
  std::shared_ptr<std::byte[]> slab_ = std::make_shared<std::byte[]>(slab_bytes);
  std::size_t used_ = 0;
};

using Time = std::pair<std::uint64_t, std::int64_t>;

TEST_F(JoinedReads, AreOneBatchInWhichEachFrameKeepsItsTime) {
  FrameBatch batch = read(0, 2, 0);
  ASSERT_TRUE(batch.join(read(2, 1, 50, 7)));
  ASSERT_TRUE(batch.join(read(3, 2, -10)));
  EXPECT_EQ(batch.frames(), 5U);
  EXPECT_EQ(batch.bytes(), 107U);
  EXPECT_THAT(times_of(batch),
              ElementsAre(Time{0, 0}, Time{1, 0}, Time{2, 50}, Time{3, -10}, Time{4, -10}));
  EXPECT_EQ(batch.stamp().session, 0U) << "it came from several";
  EXPECT_THAT(batch.find_runs(),
              ElementsAre(meridian::Run{.origin = {1, 1}, .frames = 5, .first = 0, .bytes = 107}));
}

TEST_F(JoinedReads, KeepTheirTimesThroughEverySplit) {
  for (std::uint32_t count = 1; count < 5; ++count) {
    FrameBatch rest = read(0, 2, 0);
    ASSERT_TRUE(rest.join(read(2, 1, 50)));
    ASSERT_TRUE(rest.join(read(3, 2, 70)));
    const std::vector<Time> all = times_of(rest);
    const FrameBatch front = rest.split_front(count);
    std::vector<Time> parts = times_of(front);
    std::ranges::copy(times_of(rest), std::back_inserter(parts));
    EXPECT_EQ(parts, all);
    EXPECT_EQ(front.stamp().received_at, begun);
    // A part can be joined to as well, and split again.
    ASSERT_TRUE(rest.join(read(5, 1, 90)));
    std::ignore = rest.split_front(rest.frames() - 1);
    EXPECT_THAT(times_of(rest), ElementsAre(Time{5, 90}));
  }
}

TEST_F(JoinedReads, KeepTheirTimesWhereSomeFramesAreTaken) {
  FrameBatch left = read(0, 2, 0);
  ASSERT_TRUE(left.join(read(2, 2, 50)));
  ASSERT_TRUE(left.join(read(4, 1, 70)));
  const FrameBatch taken =
      left.take_if([](const FrameView& frame) { return frame.header.sequence % 2 == 1; });
  EXPECT_THAT(times_of(taken), ElementsAre(Time{1, 0}, Time{3, 50}));
  EXPECT_THAT(times_of(left), ElementsAre(Time{0, 0}, Time{2, 50}, Time{4, 70}));
  EXPECT_EQ(left.footprint() - left.bytes(), 16U);
}

TEST_F(JoinedReads, TakeEightOctetsEach) {
  FrameBatch batch = read(0, 1, 0);
  for (std::uint64_t i = 1; i < 10; ++i) {
    ASSERT_TRUE(batch.join(read(i, 1, static_cast<std::int64_t>(i))));
  }
  std::ignore = batch.compact();
  EXPECT_EQ(batch.footprint(), batch.bytes() + 9U * 8U);
}

TEST_F(JoinedReads, AreOnlyThoseThatFollowInTheSameSlab) {
  FrameBatch first = read(0, 1, 0);
  const FrameBatch second = read(1, 1, 0);
  FrameBatch third = read(2, 1, 0);
  EXPECT_FALSE(first.join(third)) << "there is a frame between them";
  EXPECT_FALSE(third.join(second)) << "the wrong way round";
  EXPECT_FALSE(first.join(batch_of_run({1, 1}, 1, 1)));
  EXPECT_EQ(first.frames(), 1U);
  EXPECT_TRUE(first.join(second));
  EXPECT_TRUE(first.join(third));
}

TEST_F(JoinedReads, AreNotFarApartInTime) {
  FrameBatch batch = read(0, 1, 0);
  constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
  const FrameBatch last = read(1, 1, most);
  EXPECT_FALSE(FrameBatch(batch.share()).join(read(2, 1, most + 1)));
  EXPECT_TRUE(batch.join(last));
  EXPECT_THAT(times_of(batch), ElementsAre(Time{0, 0}, Time{1, most}));
}

TEST_F(JoinedReads, AreNotOfDifferentCounters) {
  FrameBatch batch = read(0, 1, 0);
  EXPECT_FALSE(batch.join(read(1, 1, 0, 0, SequenceWidth::bits14)));
}

class AdoptOrCopy : public ::testing::Test {
 protected:
  /// A slab of `slab_bytes` with `frames` frames of 20 octets at its start.
  static SlabRange slab(std::size_t slab_bytes, std::uint32_t frames) {
    auto octets = std::make_shared<std::byte[]>(slab_bytes);
    for (std::uint32_t i = 0; i < frames; ++i) {
      write_frame_header(header(1, 1, i), 0,
                         std::span<std::byte, frame_header_bytes>(
                             octets.get() + i * frame_header_bytes, frame_header_bytes));
    }
    const std::span<const std::byte> whole(octets.get(), slab_bytes);
    return {.slab = std::move(octets), .slab_bytes = slab_bytes, .octets = whole};
  }

  static FrameBatch batch_over(const SlabRange& stream, std::uint32_t frames) {
    return adopt_or_copy(stream, frames * frame_header_bytes, {.frames = frames}, {.session = 3});
  }

  static constexpr std::uint32_t worth_it =
      (least_adopted_bytes + frame_header_bytes - 1) / frame_header_bytes;
};

TEST_F(AdoptOrCopy, AdoptsManyFramesWhereTheyAre) {
  const SlabRange stream = slab(65536, worth_it);
  const FrameBatch batch = batch_over(stream, worth_it);
  EXPECT_EQ(batch.octets().data(), stream.octets.data());
  EXPECT_EQ(stream.slab.use_count(), 2);
  EXPECT_EQ(batch.frames(), worth_it);
}

TEST_F(AdoptOrCopy, AdoptsTheSlabWhereFramesFillHalfOfIt) {
  const SlabRange stream = slab(200, 5);
  EXPECT_EQ(batch_over(stream, 5).octets().data(), stream.octets.data());
}

TEST_F(AdoptOrCopy, CopiesFewFrames) {
  for (const SlabRange& stream : {slab(202, 5), slab(65536, worth_it - 1)}) {
    const std::uint32_t frames = stream.slab_bytes == 202 ? 5 : worth_it - 1;
    const FrameBatch batch = batch_over(stream, frames);
    EXPECT_NE(batch.octets().data(), stream.octets.data());
    EXPECT_EQ(stream.slab.use_count(), 1) << "a small batch pins a large slab";
    EXPECT_TRUE(
        std::ranges::equal(batch.octets(), stream.octets.first(frames * frame_header_bytes)));
    EXPECT_EQ(batch.stamp().session, 3U);
  }
}

TEST_F(AdoptOrCopy, PinsNoLargeSlabForOneSmallFrameFromADecoder) {
  const SlabRange stream = slab(65536, 1);
  NativeDecoder decoder(100);
  const Decoded found = decoder.decode(
      {.slab = stream.slab, .slab_bytes = stream.slab_bytes, .octets = stream.octets.first(20)},
      {});
  ASSERT_TRUE(found.batch.has_value());
  EXPECT_EQ(stream.slab.use_count(), 1);
}

}  // namespace
}  // namespace meridian
