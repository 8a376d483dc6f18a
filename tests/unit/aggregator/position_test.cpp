// Where one consumer stands: what it reads, acknowledges, skips and has attempted.
#include "aggregator/position.hpp"

#include "aggregator/amounts.hpp"
#include "unit/aggregator/noting_buffer.hpp"
#include "unit/frame/frame_samples.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace meridian::test {

using namespace aggregator;
namespace {

using testing::ElementsAre;

constexpr std::uint64_t bytes_of_one = frame_header_bytes + not_small;

class OneConsumer : public testing::Test {
 protected:
  /// Batches of one frame each.
  void add(std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) {
      FrameBatch batch = batch_of_run({1, 1}, next_sequence_++, 1, not_small);
      position_.adding(amount_of(batch));
      buffer_.add(std::move(batch));
    }
  }
  /// Reads one. Returns its place; 0 if there is none.
  std::uint64_t read() {
    const auto entry = position_.next_unread(buffer_);
    if (!entry) {
      return 0;
    }
    position_.note_read(*entry);
    return entry->place;
  }
  std::vector<std::uint64_t> read_all() {
    std::vector<std::uint64_t> places;
    while (const std::uint64_t place = read()) {
      places.push_back(place);
    }
    return places;
  }
  FrameBatch drain(std::uint64_t place) {
    position_.removed({.first = place, .frames = 1}, bytes_of_one, Skip::drained);
    return buffer_.take_at(place);
  }
  ConsumerStats stats() { return position_.stats(buffer_); }
  std::uint64_t skipped() { return stats().skipped.at(static_cast<std::size_t>(Skip::drained)); }

  FrameBuffer buffer_{limits(any, 1'000'000'000, WhenFull::backpressure),
                      [](DropReason, const FrameBatch&, std::uint64_t) {},
                      [](const Amount&) { return false; }};
  Position position_{ConsumerOptions{.name = "a"}};
  std::uint64_t next_sequence_ = 0;
};

TEST_F(OneConsumer, ReadsAndAcknowledgesEachBatchOnce) {
  add(3);
  EXPECT_EQ(stats().unread.frames, 3U);
  EXPECT_THAT(read_all(), ElementsAre(1, 2, 3));
  EXPECT_EQ(stats().unread.frames, 0U);
  EXPECT_EQ(stats().in_flight.frames, 3U);
  EXPECT_FALSE(position_.acknowledge({.first = 1, .frames = 2}));
  EXPECT_TRUE(position_.acknowledge({.first = 2, .frames = 1}));
  EXPECT_FALSE(position_.acknowledge({.first = 2, .frames = 1})) << "once is enough";
  EXPECT_FALSE(position_.needs({.first = 2, .frames = 1}));
  EXPECT_TRUE(position_.needs({.first = 3, .frames = 1}));
  EXPECT_EQ(stats().lag.frames, 2U);
  EXPECT_EQ(stats().acknowledged.frames, 1U);
}

TEST_F(OneConsumer, SkipsWhatLeavesBeforeItWasRead) {
  add(3);
  drain(2);
  EXPECT_EQ(skipped(), 1U);
  EXPECT_EQ(stats().lag.frames, 2U);
  EXPECT_THAT(read_all(), ElementsAre(1, 3));
}

TEST_F(OneConsumer, SkipsWhatLeftInFlightOnceUnreadAgain) {
  add(2);
  EXPECT_THAT(read_all(), ElementsAre(1, 2));
  drain(1);
  EXPECT_EQ(skipped(), 0U);
  EXPECT_EQ(stats().in_flight.frames, 2U);
  EXPECT_EQ(stats().lag.frames, 1U);
  EXPECT_THAT(position_.unread_all_again(), ElementsAre(PlaceRange{1, 1}, PlaceRange{2, 1}));
  EXPECT_EQ(skipped(), 1U);
  EXPECT_EQ(stats().in_flight, Amount{});
  EXPECT_THAT(read_all(), ElementsAre(2));
}

TEST_F(OneConsumer, ReadsWhatComesBackToItsPlace) {
  add(2);
  std::vector<BufferedBatch> lent;
  lent.push_back({1, buffer_.take_at(1)});
  EXPECT_THAT(read_all(), ElementsAre(2));
  EXPECT_TRUE(position_.has_unread({.first = 1, .frames = 1}));
  buffer_.put_back(std::move(lent), KeptRoom::none);
  position_.came_back({.first = 1, .frames = 1});
  EXPECT_THAT(read_all(), ElementsAre(1));
}

TEST_F(OneConsumer, FindsItsAttemptsAgainAfterARestart) {
  add(3);
  EXPECT_THAT(read_all(), ElementsAre(1, 2, 3));
  const Attempt attempt{.origin = {1, 1}, .ranges = {{2, 1}}, .frames = 1};
  EXPECT_THAT(position_.suspend({attempt}), ElementsAre(PlaceRange{1, 1}, PlaceRange{3, 1}));
  const SavedConsumer saved = position_.saved();
  EXPECT_EQ(saved.name, "a");
  EXPECT_EQ(saved.next_place, 4U);
  EXPECT_THAT(saved.unread, ElementsAre(PlaceRange{1, 1}, PlaceRange{3, 1}));
  EXPECT_THAT(saved.attempts, ElementsAre(attempt));

  std::vector<BufferedBatch> batches;
  for (std::uint64_t place = 1; place <= 3; ++place) {
    batches.push_back({place, buffer_.find_from(place).value().batch->share()});
  }
  position_ = Position(ConsumerOptions{.name = "a"});
  position_.restore({saved}, batches);
  EXPECT_EQ(stats().lag.frames, 3U);
  const auto attempted = position_.unread_attempts(buffer_);
  ASSERT_EQ(attempted.size(), 1U);
  EXPECT_EQ(attempted.front().place, 2U);
  position_.note_read(attempted.front());
  EXPECT_THAT(read_all(), ElementsAre(1, 3));
}

}  // namespace
}  // namespace meridian::test
