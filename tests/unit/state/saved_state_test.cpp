// What was saved comes back, and what is damaged takes nothing else with it.
#include "state/bodies.hpp"
#include "state/mark.hpp"
#include "unit/state/saved_samples.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <ranges>
#include <utility>

namespace meridian::test {

using namespace state;

namespace {

using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;
using testing::SizeIs;

/// Where the frames of a saved state stand in its file.
std::vector<Region> frames_in_file(const Octets& file, const std::vector<SavedFrame>& frames) {
  std::vector<Region> places;
  auto from = file.begin();
  for (const SavedFrame& frame : frames) {
    from = std::search(from, file.end(), frame.octets.begin(), frame.octets.end());
    places.push_back({static_cast<std::uint64_t>(from - file.begin()), frame.octets.size()});
    from += static_cast<std::ptrdiff_t>(frame.octets.size());
  }
  return places;
}

/// How many frames end before `offset`.
std::size_t whole_before(const std::vector<Region>& places, std::uint64_t offset) {
  return static_cast<std::size_t>(std::ranges::count_if(
      places, [offset](const Region& place) { return place.offset + place.bytes <= offset; }));
}

std::uint64_t sum_of(const std::vector<Region>& regions) {
  std::uint64_t bytes = 0;
  for (const Region& region : regions) {
    bytes += region.bytes;
  }
  return bytes;
}

/// Whether `part` is `whole` with some left out, in its order.
bool is_subsequence(const std::vector<SavedFrame>& part, const std::vector<SavedFrame>& whole) {
  auto from = whole.begin();
  for (const SavedFrame& frame : part) {
    from = std::find(from, whole.end(), frame);
    if (from == whole.end()) {
      return false;
    }
    ++from;
  }
  return true;
}

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

TEST(SavedState, WithoutThemIsWhatItWasBeforeTheyCame) {
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

TEST(SavedState, KeepsPlacesAndPositions) {
  SavedState saved = test::sample_state();
  saved.frames[0].place = 100;
  saved.frames[1].place = 200;
  saved.frames[2].place = 300;
  saved.ledger->delivered = 7;
  saved.positions = SavedPositions{
      .epoch = 0x0123456789ABCDEF,
      .next_place = 302,
      .consumers = {
          {.name = "archive",
           .next_place = 300,
           .unread = {{.first = 100, .frames = 2}, {.first = 201, .frames = 1}},
           .attempts = {{.origin = {2, 0},
                         .ranges = {{.first = 200, .frames = 1}},
                         .frames = 4,
                         .epoch = 0xFEDCBA9876543210},
                        {.origin = {2, 0}, .ranges = {{.first = 201, .frames = 1}}, .frames = 1}}},
          {.name = "", .next_place = 0, .unread = {}, .attempts = {}}}};
  const Restored restored = test::read_back(test::written(saved));
  EXPECT_TRUE(restored.is_whole);
  EXPECT_EQ(restored.saved.positions, saved.positions);
  EXPECT_EQ(restored.saved.ledger->delivered, 7U);
  ASSERT_THAT(restored.saved.frames, SizeIs(3));
  EXPECT_EQ(restored.saved.frames[1].place, 200U);
}

TEST(SavedState, AttemptsOfOlderFilesAreOfTheEpochOfTheirPlaces) {
  const ConsumerPart part{
      .consumer = {.name = "archive",
                   .next_place = 300,
                   .unread = {},
                   .attempts = {{.origin = {2, 0}, .ranges = {{1, 1}}, .frames = 1, .epoch = 5},
                                {.origin = {3, 0}, .ranges = {{2, 1}}, .frames = 1}}}};
  Body body = encode(part);
  constexpr std::uint64_t older_epoch = 7;
  const auto whole = decode_consumer(body, older_epoch);
  ASSERT_TRUE(whole.has_value());
  EXPECT_EQ(whole->consumer, part.consumer);
  body.resize(body.size() - 2 * sizeof(std::uint64_t));  // which did not have them
  const auto older = decode_consumer(body, older_epoch);
  ASSERT_TRUE(older.has_value());
  for (const Attempt& attempt : older->consumer.attempts) {
    EXPECT_EQ(attempt.epoch, older_epoch);
  }
  body.resize(body.size() - 1);
  EXPECT_FALSE(decode_consumer(body, older_epoch).has_value());
}

TEST(SavedState, KeepsThePlacesOfFramesBehindADamagedOne) {
  SavedState saved;
  saved.frames.push_back({50, test::batch_of_run({1, 1}, 0, 5, 10, test::stamp_at(1))});
  Octets octets = test::written(saved);
  const auto damaged = std::ranges::search(octets, test::sample_payload(10, 2));
  ASSERT_FALSE(damaged.empty());
  damaged.front() ^= std::byte{1};
  const Restored restored = test::read_back(octets);
  ASSERT_THAT(restored.saved.frames, SizeIs(2));
  EXPECT_EQ(restored.saved.frames[0].places(), (PlaceRange{50, 2}));
  EXPECT_EQ(restored.saved.frames[1].places(), (PlaceRange{53, 2}));
}

/// A position with so many ranges and attempts that it takes several marks.
SavedState ragged_state() {
  SavedConsumer ragged{.name = "a", .next_place = 1'000'000, .unread = {}, .attempts = {}};
  for (std::uint64_t i = 0; i < 100'000; ++i) {
    ragged.unread.push_back({.first = 10 + 2 * i, .frames = 1});
    ragged.attempts.push_back(
        {.origin = {7, 1}, .ranges = {{.first = 11 + 2 * i, .frames = 1}}, .frames = 1});
  }
  SavedState saved;
  saved.positions = SavedPositions{
      .epoch = 1,
      .next_place = 2,
      .consumers = {ragged, {.name = "b", .next_place = 5, .unread = {}, .attempts = {}}}};
  return saved;
}

TEST(SavedState, KeepsAPositionThatTakesSeveralMarks) {
  const SavedState saved = ragged_state();
  const Octets octets = test::written(saved);
  EXPECT_GT(octets.size(), 2 * max_mark_bytes);
  const Restored restored = test::read_back(octets);
  EXPECT_TRUE(restored.is_whole);
  EXPECT_EQ(restored.saved.positions, saved.positions);
}

TEST(SavedState, PositionOfWhichAPartIsDamagedIsNone) {
  const Octets octets = test::written(ragged_state());
  for (const std::size_t at : {max_mark_bytes / 2, max_mark_bytes * 3 / 2, max_mark_bytes * 4}) {
    Octets damaged = octets;
    damaged.at(at) ^= std::byte{1};
    const Restored restored = test::read_back(damaged);
    EXPECT_FALSE(restored.is_whole);
    ASSERT_TRUE(restored.saved.positions.has_value());
    EXPECT_THAT(restored.saved.positions->consumers, ElementsAre(Field(&SavedConsumer::name, "b")))
        << "rather repeats all than misses some";
  }
}

TEST(SavedState, AttemptThatIsTooLargeForAMarkRepeatsRatherThanLoses) {
  SavedConsumer consumer{.name = "a", .next_place = 1'000'000, .unread = {}, .attempts = {}};
  Attempt& attempt = consumer.attempts.emplace_back();
  for (std::uint64_t i = 0; i < 100'000; ++i) {
    attempt.ranges.push_back({.first = 10 + 2 * i, .frames = 1});
  }
  SavedState saved;
  saved.positions = SavedPositions{.epoch = 1, .next_place = 2, .consumers = {consumer}};
  const Restored restored = test::read_back(test::written(saved));
  ASSERT_TRUE(restored.saved.positions.has_value());
  EXPECT_EQ(restored.saved.positions->consumers.at(0).next_place, 10U);
  EXPECT_THAT(restored.saved.positions->consumers.at(0).attempts, IsEmpty());
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

TEST(SavedState, OfTheFormatBeforeItHadANumberIsReadAsEver) {
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

TEST(DamagedState, CutAtAnyOctetKeepsEveryWholeFrameBeforeTheCut) {
  const SavedState saved = test::sample_state();
  const std::vector<SavedFrame> frames = test::frames_in(saved);
  const Octets file = test::written(saved);
  const std::vector<Region> places = frames_in_file(file, frames);
  for (std::size_t cut = 0; cut < file.size(); ++cut) {
    const Octets part(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(cut));
    const Restored restored = test::read_back(part);
    const std::size_t whole = whole_before(places, cut);
    ASSERT_EQ(test::frames_in(restored.saved),
              std::vector<SavedFrame>(frames.begin(),
                                      frames.begin() + static_cast<std::ptrdiff_t>(whole)))
        << "cut at " << cut;
    ASSERT_FALSE(restored.is_whole) << "cut at " << cut;
    ASSERT_LE(sum_of(restored.damaged), cut);
  }
}

TEST(DamagedState, AnyWrongOctetLosesNoMoreThanItsBlock) {
  const SavedState saved = test::sample_state();
  const std::vector<SavedFrame> frames = test::frames_in(saved);
  const Octets file = test::written(saved);
  const std::vector<Region> places = frames_in_file(file, frames);
  for (std::size_t wrong = 0; wrong < file.size(); ++wrong) {
    Octets damaged = file;
    damaged[wrong] ^= std::byte{0x10};
    const Restored restored = test::read_back(damaged);
    const std::vector<SavedFrame> back = test::frames_in(restored.saved);
    ASSERT_FALSE(restored.is_whole) << "wrong at " << wrong;
    ASSERT_TRUE(is_subsequence(back, frames)) << "wrong at " << wrong;
    ASSERT_GE(back.size() + 3, frames.size()) << "wrong at " << wrong;
    const bool in_a_frame = std::ranges::any_of(places, [wrong](const Region& place) {
      return wrong >= place.offset && wrong < place.offset + place.bytes;
    });
    if (in_a_frame) {
      ASSERT_EQ(back.size() + 1, frames.size()) << "wrong at " << wrong;
      ASSERT_THAT(restored.damaged, SizeIs(1));
      ASSERT_TRUE(std::ranges::count(places, restored.damaged.front()) == 1)
          << "wrong at " << wrong;
    }
  }
}

TEST(DamagedState, FlippedAtRandomKeepsEveryWholeFrameBeforeTheDamage) {
  SavedState saved;
  for (std::uint64_t i = 0; i < 300; ++i) {
    saved.add(test::batch_of_run({1, 1}, i * 100, 100, i % 90,
                                 test::stamp_at(static_cast<std::int64_t>(i))));
  }
  const std::vector<SavedFrame> frames = test::frames_in(saved);
  const Octets file = test::written(saved);
  const std::vector<Region> places = frames_in_file(file, frames);
  std::mt19937 random(1);  // the same damage each time
  for (int trial = 0; trial < 20; ++trial) {
    Octets damaged = file;
    std::size_t first = file.size();
    for (int flips = 0; flips < 1 + trial * 5; ++flips) {
      const std::size_t wrong = random() % file.size();
      damaged[wrong] ^= static_cast<std::byte>(1U << random() % 8);
      first = damaged[wrong] == file[wrong] ? first : std::min(first, wrong);
    }
    const Restored restored = test::read_back(damaged);
    const std::vector<SavedFrame> back = test::frames_in(restored.saved);
    const std::size_t whole = whole_before(places, first);
    ASSERT_GE(back.size(), whole);
    ASSERT_TRUE(std::equal(back.begin(), back.begin() + static_cast<std::ptrdiff_t>(whole),
                           frames.begin()));
    ASSERT_TRUE(is_subsequence(back, frames));
    ASSERT_GE(back.size(), frames.size() - 100 * static_cast<std::size_t>(1 + trial * 5));
  }
}

/// Where the first block begins in a file that has no other marks before it.
std::size_t behind_version_and_ledger(std::span<const std::byte> file) {
  const std::size_t version = mark_bytes(file);
  return version + mark_bytes(file.subspan(version));
}

TEST(DamagedState, TakesNoMarkOutOfAPayloadForItsOwn) {
  // An uplink may send whatever it likes: here, a ledger. It must know the nonce to be believed.
  SavedState forged;
  forged.ledger = Ledger{.received = 1'000, .drained = 1'000};
  const Octets forgery = test::written(forged, 0xBAD);
  FrameBatchBuilder builder;
  builder.append(test::header(1, 1, 0), forgery);
  builder.append(test::header(1, 1, 1), forgery);
  SavedState saved;
  saved.ledger = Ledger{.received = 2, .buffered = 2};
  saved.add(builder.finish({}).value());
  Octets file = test::written(saved);
  // The block's mark is broken, so that the reader searches its frames for the next mark.
  const std::size_t block = behind_version_and_ledger(file);
  file[block + mark_head_bytes] ^= std::byte{1};

  const Restored restored = test::read_back(file);
  ASSERT_TRUE(restored.saved.ledger.has_value());
  EXPECT_EQ(restored.saved.ledger->received, 2U);
  EXPECT_EQ(restored.frames, 0U);
  EXPECT_FALSE(restored.is_whole);
}

TEST(DamagedState, TakesNoMarkOutOfAPayloadAlsoWhereItsBeginningIsDamaged) {
  SavedState forged;
  forged.add(test::batch_of_run({6, 6}, 666, 1));
  const Octets forgery = test::written(forged, 0xBAD);
  FrameBatchBuilder builder;
  builder.append(test::header(1, 1, 0), forgery);
  SavedState saved;
  saved.ledger = Ledger{.received = 101, .buffered = 101};
  saved.add(builder.finish({}).value());
  saved.add(test::batch_of_run({1, 1}, 1, 100));
  Octets file = test::written(saved);
  // The version, the ledger and the first block's mark.
  std::fill_n(file.begin(), behind_version_and_ledger(file) + mark_head_bytes, std::byte{0});

  const Restored restored = test::read_back(file);
  EXPECT_EQ(restored.frames, 100U) << "those of the second block";
  EXPECT_EQ(test::frames_in(restored.saved), [&saved] {
    SavedState second;
    second.add(saved.frames[1].batch.share());
    return test::frames_in(second);
  }());
}

TEST(DamagedState, FullOfWhatBeginsLikeAMarkIsReadInBoundedTime) {
  Octets file(8 * 1024 * 1024);
  const Octets mark = encode_mark(MarkKind::end, 0, Octets(max_mark_bytes - mark_head_bytes));
  for (std::size_t at = 0; at + frame_header_bytes <= file.size(); at += frame_header_bytes) {
    std::copy_n(mark.begin(), frame_header_bytes, file.begin() + static_cast<std::ptrdiff_t>(at));
  }
  std::uint64_t octets_read = 0;
  const Restored restored = read_saved(
      {.bytes = file.size(), .read = [&](std::uint64_t offset, std::span<std::byte> out) {
         const std::size_t bytes = std::min<std::size_t>(out.size(), file.size() - offset);
         std::copy_n(file.begin() + static_cast<std::ptrdiff_t>(offset), bytes, out.begin());
         octets_read += bytes;
         return ReadResult{.bytes = bytes};
       }});
  EXPECT_EQ(restored.frames, 0U);
  EXPECT_LT(octets_read, 20 * file.size());
}

TEST(DamagedState, OfALaterVersionIsNotGuessed) {
  Octets file = test::written(test::sample_state());
  for (std::size_t i = 0; i + 4 <= file.size(); ++i) {
    if (mark_bytes(std::span(file).subspan(i)) != 0) {
      file[i + 7] = std::byte{'2'};  // "MRD2"
    }
  }
  const Restored restored = test::read_back(file);
  EXPECT_EQ(restored.frames, 0U);
  EXPECT_THAT(restored.damaged, ElementsAre(Region{0, file.size()}));
}

}  // namespace
}  // namespace meridian::test
