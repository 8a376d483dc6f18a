// What is damaged in a saved state takes nothing else with it.
#include "state/mark.hpp"
#include "unit/state/saved_samples.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

namespace meridian::test {

using namespace state;

namespace {

using testing::ElementsAre;
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

TEST(DamagedState, CutAnywhereKeepsWholeFramesBeforeTheCut) {
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

TEST(DamagedState, AnyWrongOctetLosesAtMostItsBlock) {
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

TEST(DamagedState, RandomFlipsKeepWholeFramesBeforeTheDamage) {
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

TEST(DamagedState, MarkInsideAPayloadIsNotBelieved) {
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

TEST(DamagedState, MarkInADamagedPayloadIsNotBelieved) {
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

TEST(DamagedState, FullOfFalseMarksIsReadQuickly) {
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
