// What was saved comes back.
#include "state/bodies.hpp"
#include "state/mark.hpp"
#include "unit/state/saved_samples.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

namespace meridian::test {

using namespace state;

namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

TEST(SavedState, ComesBackWithFramesTimesAndWidths) {
  const SavedState saved = test::sample_state();
  const Restored restored = test::read_back(test::written(saved));
  EXPECT_TRUE(restored.is_whole);
  EXPECT_THAT(restored.damaged, IsEmpty());
  EXPECT_EQ(restored.frames, 7U);
  EXPECT_EQ(test::frames_in(restored.saved), test::frames_in(saved));
}

TEST(SavedState, ComesBackWithItsBooks) {
  const SavedState saved = test::sample_state();
  const Restored restored = test::read_back(test::written(saved));
  ASSERT_TRUE(restored.saved.ledger.has_value());
  const Ledger& ledger = *restored.saved.ledger;
  EXPECT_EQ(ledger.received, 30U);
  EXPECT_EQ(ledger.buffered, 7U);
  EXPECT_EQ(ledger.drained, 10U);
  EXPECT_EQ(ledger.flushed, 4U);
  EXPECT_THAT(ledger.dropped, ElementsAre(2, 3, 4, 0, 0, 0));
  ASSERT_THAT(restored.saved.origins, SizeIs(3));
  const OriginStats& first = restored.saved.origins[0];
  EXPECT_EQ(first.origin, (Origin{1, 7}));
  EXPECT_EQ(first.frames, 20U);
  EXPECT_EQ(first.bytes, 500U);
  EXPECT_EQ(first.last_sequence, 103U);
  EXPECT_EQ(first.gaps, 1U);
  EXPECT_EQ(first.missing, 2U);
  EXPECT_EQ(first.duplicates, 3U);
  EXPECT_EQ(first.late, 4U);
  EXPECT_EQ(first.dropped, 9U);
  EXPECT_EQ(first.last_seen_at, test::at_us(3'000'002));
  EXPECT_FALSE(restored.saved.origins[2].origin.has_value());
  EXPECT_FALSE(restored.saved.origins[2].last_sequence.has_value());
}

TEST(SavedState, KeepsResetsUnsettledFramesAndStoredOnes) {
  SavedState saved = test::sample_state();
  saved.origins[0].jumps = 5;
  saved.origins[0].resets = 6;
  saved.origins[0].unsettled = {.next = 1U << 20U, .late = 2, .jumps = 1};
  StoredStats& stored = saved.origins[1].stored.emplace();
  stored.frames = 7;
  stored.last_seen_at = test::at_us(99);
  stored.sequences.gaps = 11;
  stored.sequences.missing = 12;
  stored.sequences.duplicates = 13;
  stored.sequences.late = 14;
  stored.sequences.jumps = 15;
  stored.sequences.resets = 16;
  stored.sequences.last_sequence = 17;
  stored.sequences.unsettled = {.next = 18, .late = 3, .jumps = 4};
  const Restored restored = test::read_back(test::written(saved));
  EXPECT_TRUE(restored.is_whole);
  ASSERT_THAT(restored.saved.origins, SizeIs(3));
  const OriginStats& first = restored.saved.origins[0];
  EXPECT_EQ(first.jumps, 5U);
  EXPECT_EQ(first.resets, 6U);
  EXPECT_EQ(first.unsettled.next, 1U << 20U);
  EXPECT_EQ(first.unsettled.late, 2U);
  EXPECT_EQ(first.unsettled.jumps, 1U);
  EXPECT_FALSE(first.stored.has_value());
  const OriginStats& second = restored.saved.origins[1];
  EXPECT_EQ(second.frames, 8U) << "what stands beside it";
  ASSERT_TRUE(second.stored.has_value());
  EXPECT_EQ(second.stored->frames, 7U);
  EXPECT_EQ(second.stored->last_seen_at, test::at_us(99));
  const SequenceStats& sequences = second.stored->sequences;
  EXPECT_EQ(sequences.gaps, 11U);
  EXPECT_EQ(sequences.missing, 12U);
  EXPECT_EQ(sequences.duplicates, 13U);
  EXPECT_EQ(sequences.late, 14U);
  EXPECT_EQ(sequences.jumps, 15U);
  EXPECT_EQ(sequences.resets, 16U);
  EXPECT_EQ(sequences.last_sequence, 17U);
  EXPECT_EQ(sequences.unsettled.next, 18U);
  EXPECT_EQ(sequences.unsettled.late, 3U);
  EXPECT_EQ(sequences.unsettled.jumps, 4U);
  EXPECT_FALSE(restored.saved.origins[2].stored.has_value());
}

TEST(SavedState, WithoutResetsOrStoredFramesIsNoLarger) {
  // The mark of one origin: 80 octets and the count.
  SavedState saved;
  saved.origins = {test::sample_state().origins[0]};
  const std::size_t before = test::written({}).size();
  EXPECT_EQ(test::written(saved).size() - before, state::mark_head_bytes + 4 + 80);
}

TEST(SavedState, KeepsTheSumOverForgottenOrigins) {
  SavedState saved = test::sample_state();
  EXPECT_FALSE(test::read_back(test::written(saved)).saved.forgotten.has_value());
  OriginStats& sum = saved.forgotten.emplace();
  sum.frames = 5;
  sum.missing = 6;
  sum.resets = 7;
  const Restored restored = test::read_back(test::written(saved));
  EXPECT_TRUE(restored.is_whole);
  ASSERT_TRUE(restored.saved.forgotten.has_value());
  EXPECT_EQ(restored.saved.forgotten->frames, 5U);
  EXPECT_EQ(restored.saved.forgotten->missing, 6U);
  EXPECT_EQ(restored.saved.forgotten->resets, 7U);
  EXPECT_THAT(restored.saved.origins, SizeIs(3)) << "it is no row";
}

TEST(SavedState, KeepsWhatMayHaveBeenDelivered) {
  SavedState saved = test::sample_state();
  saved.frames[1].batch.mark_redelivered();
  const Restored restored = test::read_back(test::written(saved));
  ASSERT_THAT(restored.saved.frames, SizeIs(3));
  EXPECT_FALSE(restored.saved.frames[0].batch.redelivered());
  EXPECT_TRUE(restored.saved.frames[1].batch.redelivered());
  EXPECT_EQ(restored.saved.frames[1].batch.stamp().width, SequenceWidth::bits14);
}

TEST(SavedState, KeepsTheTimeOfEachJoinedRead) {
  // As the buffer joins them: batches that follow each other in one slab.
  FrameBatch joined = test::batch_of_run({1, 1}, 0, 2, 8, test::stamp_at(5));
  const SlabRange both = test::in_slab([] {
    Octets octets;
    for (std::uint64_t sequence = 0; sequence < 3; ++sequence) {
      test::append(octets, test::native_frame(test::header(1, 1, sequence),
                                              test::sample_payload(8, sequence)));
    }
    return octets;
  }());
  SlabRange front = both;
  front.octets = both.octets.first(56);
  joined.relocate(front);
  SlabRange back = both;
  back.octets = both.octets.subspan(56);
  ASSERT_TRUE(joined.join(FrameBatch(back, {.frames = 1}, test::stamp_at(9))));
  SavedState saved;
  saved.add(std::move(joined));

  const Restored restored = test::read_back(test::written(saved));
  const std::vector<SavedFrame> frames = test::frames_in(restored.saved);
  ASSERT_THAT(frames, SizeIs(3));
  EXPECT_EQ(frames[0].received_at, test::at_us(5));
  EXPECT_EQ(frames[1].received_at, test::at_us(5));
  EXPECT_EQ(frames[2].received_at, test::at_us(9));
}

TEST(SavedState, DividesLargeBatchesIntoBlocks) {
  SavedState saved;
  saved.add(test::batch_of_run({1, 1}, 0, 700, 1000, test::stamp_at(1)));
  saved.add(test::batch_of_run({2, 1}, 0, 2, 2 * block_bytes, test::stamp_at(2)));
  const Restored restored = test::read_back(test::written(saved));
  EXPECT_TRUE(restored.is_whole);
  EXPECT_GT(restored.saved.frames.size(), 4U);
  EXPECT_EQ(test::frames_in(restored.saved), test::frames_in(saved));
}

TEST(SavedState, CanBeEmpty) {
  const Restored restored = test::read_back(test::written({}));
  EXPECT_TRUE(restored.is_whole);
  EXPECT_EQ(restored.frames, 0U);
  EXPECT_FALSE(test::read_back({}).is_whole) << "an empty file is not an empty state";
}

TEST(SavedState, OfTheUnnumberedFormatIsStillRead) {
  const SavedState saved = test::sample_state();
  Octets file = test::written(saved);
  const std::size_t version_bytes = mark_bytes(file);
  ASSERT_EQ(read_mark(file)->kind, MarkKind::version);
  file.erase(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(version_bytes));
  const Restored restored = test::read_back(file);
  EXPECT_TRUE(restored.is_whole);
  EXPECT_EQ(test::frames_in(restored.saved), test::frames_in(saved));
  EXPECT_EQ(restored.saved.ledger->received, saved.ledger->received);
  EXPECT_THAT(restored.saved.origins, SizeIs(saved.origins.size()));
}

TEST(SavedState, OfANewerFormatIsNotSkimmed) {
  for (const Body& body : {encode(FormatVersion{.format = format_version + 1, .program = "2.0.0"}),
                           Body{std::byte{0xFF}, std::byte{0xFF}}, Body(100, std::byte{0xFF})}) {
    Octets file = encode_mark(MarkKind::version, std::uint64_t{test::sample_nonce} << 32, body);
    const Octets known = test::written(test::sample_state());
    test::append(file, std::span(known).subspan(mark_bytes(known)));
    const Restored restored = test::read_back(file);
    ASSERT_TRUE(restored.newer.has_value());
    EXPECT_GT(restored.newer->format, format_version);
    EXPECT_EQ(restored.frames, 0U);
    EXPECT_FALSE(restored.saved.ledger.has_value());
    EXPECT_FALSE(restored.is_whole);
  }
}

TEST(SavedState, SaysWhereItsSourceFails) {
  const Octets file = test::written(test::sample_state());
  const Restored restored = read_saved(
      {.bytes = file.size(), .read = [&file](std::uint64_t offset, std::span<std::byte> out) {
         // A bad sector in the middle.
         const std::size_t there = std::min<std::size_t>(offset, file.size() / 2);
         const std::size_t bytes = std::min(out.size(), file.size() / 2 - there);
         std::copy_n(file.begin() + static_cast<std::ptrdiff_t>(there), bytes, out.begin());
         return ReadResult{.bytes = bytes,
                           .error = bytes < out.size() ? std::make_error_code(std::errc::io_error)
                                                       : std::error_code{}};
       }});
  EXPECT_EQ(restored.unreadable, std::errc::io_error);
  EXPECT_FALSE(test::read_back(file).unreadable);
}

TEST(SavedState, IsLeftAloneWhereWritingFails) {
  const SavedState saved = test::sample_state();
  std::size_t pieces = 0;
  const std::error_code error =
      write_saved(saved, test::sample_nonce, [&pieces](std::span<const std::byte>) {
        ++pieces;
        return std::make_error_code(pieces < 3 ? std::errc{} : std::errc::no_space_on_device);
      });
  EXPECT_EQ(error, std::errc::no_space_on_device);
  EXPECT_EQ(pieces, 3U);
}

}  // namespace
}  // namespace meridian::test
