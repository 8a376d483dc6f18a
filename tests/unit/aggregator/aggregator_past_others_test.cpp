// A drain of one satellite under backpressure: its frames do not wait behind a buffer that is full
// of others.
#include "aggregator/maintenance.hpp"
#include "unit/aggregator/aggregator_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <future>
#include <iterator>
#include <map>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace meridian::test {

using namespace aggregator;
namespace {

/// A buffer that is full of satellite 1, in whose channel more of it waits.
class PastOthers : public test::AggregatorTest {
 protected:
  static constexpr std::uint64_t buffer_frames = 10;
  static constexpr std::size_t capacity = 4;

  void SetUp() override {
    spawn(options(capacity, buffer_frames, WhenFull::backpressure));
    send(batch_of_run({1, 1}, 0, 15));
  }
  void set_max_frames(std::uint64_t max_frames) {
    EXPECT_EQ(
        call(Maintenance(*aggregator_)
                 .set_limits({.max_frames = max_frames, .when_full = WhenFull::backpressure}, 100)),
        error_code{});
  }
  std::future<error_code> start_send(FrameBatch batch) {
    return test::start(context_, aggregator_->send(std::move(batch)));
  }
};

TEST_F(PastOthers, SeesEveryFrameWhoseSendHadCompleted) {
  for (std::uint64_t round = 0; round < 3; ++round) {
    send(batch_of_run({2, 1}, round * 3, 3));
    const Drained drained = drain(all_frames, 2);
    EXPECT_EQ(sequences_of(drained), numbers(round * 3, 3));
    EXPECT_EQ(drained.remaining, buffer_frames);
    EXPECT_TRUE(drain(all_frames, 2).batches.empty());
  }
  const AggregatorStats now = stats();
  EXPECT_EQ(now.ledger.drained, 9U);
  EXPECT_EQ(now.ledger.buffered, buffer_frames);
  EXPECT_EQ(sequences_of(drain()), numbers(0, 15));
}

TEST_F(PastOthers, TakesItsFramesOutOfAMixedRead) {
  const std::vector<FrameHeader> headers{test::header(2, 1, 0), test::header(1, 1, 15),
                                         test::header(2, 1, 1), test::header(1, 1, 16),
                                         test::header(2, 1, 2)};
  send(test::batch_of(headers));
  EXPECT_EQ(sequences_of(drain(2, 2)), numbers(0, 2));
  EXPECT_EQ(sequences_of(drain(all_frames, 2)), numbers(2, 1));
  EXPECT_EQ(sequences_of(drain()), numbers(0, 17));
}

TEST_F(PastOthers, TakesWhatIsInTheBufferFirst) {
  spawn(options(capacity, buffer_frames, WhenFull::backpressure));
  send(batch_of_run({2, 1}, 0, 3));
  send(batch_of_run({1, 1}, 0, 9));
  send(batch_of_run({2, 1}, 3, 3));
  EXPECT_EQ(sequences_of(drain(5, 2)), numbers(0, 5));
  EXPECT_EQ(sequences_of(drain(all_frames, 2)), numbers(5, 1));
  EXPECT_EQ(sequences_of(drain()), numbers(0, 9));
}

TEST_F(PastOthers, NextDrainGetsFramesThatWerePutBack) {
  send(batch_of_run({2, 1}, 0, 3));
  Lent lent = lend(all_frames, 2);
  EXPECT_EQ(sequences_of(lent.frames()), numbers(0, 3));
  EXPECT_EQ(call(std::move(lent).put_back()), error_code{});
  EXPECT_EQ(sequences_of(drain(all_frames, 2)), numbers(0, 3));
  EXPECT_TRUE(stats().ledger.balanced());
}

TEST_F(PastOthers, ALeaseSeesThemToo) {
  send(batch_of_run({2, 1}, 0, 3));
  const Leased leased =
      call(aggregator_->lease(
               {.max_frames = all_frames, .satellite_id = 2, .duration = std::chrono::hours(1)}))
          .value();
  EXPECT_EQ(sequences_of(leased.frames), numbers(0, 3));
  EXPECT_EQ(stats().ledger.leased, 3U);
  EXPECT_EQ(call(aggregator_->release(leased.id.value())).value().frames, 3U);
  EXPECT_EQ(sequences_of(drain(all_frames, 2)), numbers(0, 3));
}

TEST_F(PastOthers, RepeatedPuttingBackLetsInNoMore) {
  std::vector<std::future<error_code>> sends;
  for (std::uint64_t i = 0; i < 100; ++i) {
    sends.push_back(start_send(batch_of_run({2, 1}, i * 10, 10)));
    EXPECT_EQ(call(lend(all_frames, 2).put_back()), error_code{});
  }
  // Where the first drain has put back what passed, the buffer is above its bounds.
  EXPECT_LE(stats().buffer.now.frames, buffer_frames + (capacity + 2) * 10);
  EXPECT_LE(std::ranges::count_if(sends, is_ready<error_code>),
            static_cast<std::ptrdiff_t>(2 * capacity));
  std::vector<std::uint64_t> sequences;
  while (sequences.size() < 1'000) {
    const Drained part = drain(50, 2);
    std::ranges::copy(sequences_of(part), std::back_inserter(sequences));
    std::ignore = drain(1, 1);
    test::poll(context_);
    ASSERT_TRUE(stats().ledger.balanced());
  }
  EXPECT_EQ(sequences, numbers(0, 1'000));
}

TEST_F(PastOthers, SeesThemAlsoAboveLimitsThatBecameNarrower) {
  set_max_frames(5);
  for (std::uint64_t round = 0; round < 3; ++round) {
    send(batch_of_run({2, 1}, round * 3, 3));
    EXPECT_EQ(sequences_of(drain(all_frames, 2)), numbers(round * 3, 3));
  }
  EXPECT_EQ(stats().ledger.buffered, buffer_frames);
}

TEST_F(PastOthers, PuttingBackOverNarrowedLimitsAdmitsNoMore) {
  std::vector<std::future<error_code>> sends;
  for (std::uint64_t i = 0; i < 100; ++i) {
    set_max_frames(5 - i % 2);  // which excuses nothing that has passed
    sends.push_back(start_send(batch_of_run({2, 1}, i * 10, 10)));
    EXPECT_EQ(call(lend(all_frames, 2).put_back()), error_code{});
  }
  EXPECT_LE(stats().buffer.now.frames, buffer_frames + (capacity + 2) * 10);
  EXPECT_LE(std::ranges::count_if(sends, is_ready<error_code>),
            static_cast<std::ptrdiff_t>(2 * capacity));
  std::uint64_t drained = 0;
  while (drained < 1'015) {
    const std::uint64_t taken = drain(50).taken.frames;
    ASSERT_GT(taken, 0U);
    drained += taken;
    test::poll(context_);
  }
  EXPECT_TRUE(std::ranges::all_of(sends, is_ready<error_code>));
  EXPECT_EQ(stats().ledger.buffered, 0U);
}

TEST_F(PastOthers, RepeatedDrainsLetInNoMore) {
  std::vector<std::future<error_code>> sends;
  const auto completed = [&] { return std::ranges::count_if(sends, is_ready<error_code>); };
  std::uint64_t next = 15;
  const auto send_more = [&] {
    for (int i = 0; i < 10; ++i, next += 10) {
      sends.push_back(start_send(batch_of_run({1, 1}, next, 10)));
    }
  };
  send_more();
  EXPECT_EQ(completed(), static_cast<std::ptrdiff_t>(capacity));
  EXPECT_TRUE(drain(all_frames, 2).batches.empty());
  test::poll(context_);
  const auto after_one = completed();
  EXPECT_LE(after_one, static_cast<std::ptrdiff_t>(2 * capacity))
      << "those that waited in the channel have got its places";
  for (int i = 0; i < 20; ++i) {
    send_more();
    EXPECT_TRUE(drain(all_frames, 2).batches.empty());
    EXPECT_TRUE(aggregator_->try_send(batch_of_run({2, 1}, 0, 1)).has_value());
  }
  EXPECT_LE(completed(), 10) << "only sends that were in the channel before the first drain";

  std::vector<std::uint64_t> sequences;
  while (sequences.size() < next) {
    const Drained part = drain(100);
    ASSERT_FALSE(part.batches.empty());
    std::ranges::copy(sequences_of(part), std::back_inserter(sequences));
    test::poll(context_);
  }
  EXPECT_EQ(sequences, numbers(0, next));
  EXPECT_EQ(completed(), static_cast<std::ptrdiff_t>(sends.size()));
}

TEST_F(PastOthers, LeavesSendersTheRoomThatTheChannelHas) {
  send(batch_of_run({1, 1}, 15, 1));
  EXPECT_TRUE(drain(all_frames, 2).batches.empty());
  for (std::uint64_t round = 0; round < 5; ++round) {
    EXPECT_FALSE(aggregator_->try_send(batch_of_run({2, 1}, round, 1)).has_value());
    EXPECT_EQ(sequences_of(drain(all_frames, 2)), numbers(round, 1));
  }
}

TEST_F(PastOthers, SendersThatAreHeldHearOfTheEnd) {
  for (std::uint64_t i = 0; i < capacity; ++i) {
    send(batch_of_run({1, 1}, 15 + 10 * i, 10));
  }
  EXPECT_TRUE(drain(all_frames, 2).batches.empty());
  auto held = start_send(batch_of_run({1, 1}, 55, 10));
  EXPECT_FALSE(is_ready(held));
  const FinalState last = call(aggregator_->shut_down()).value();
  test::poll(context_);
  ASSERT_TRUE(is_ready(held));
  // It was told that it may go on, and either came in time or did not.
  const error_code ec = held.get();
  EXPECT_EQ(ec, Errc::aggregator_shut_down);
  EXPECT_EQ(last.stats.ledger.buffered, 55U);
}

TEST_F(PastOthers, AFlushTakesWhatWasLookedAt) {
  for (std::uint64_t i = 0; i < capacity; ++i) {
    send(batch_of_run({1, 1}, 15 + 10 * i, 10));
  }
  EXPECT_TRUE(drain(all_frames, 2).batches.empty());
  auto held = start_send(batch_of_run({1, 1}, 55, 10));
  EXPECT_EQ(call(aggregator_->flush()).value(), 55U);
  test::poll(context_);
  ASSERT_TRUE(is_ready(held));
  EXPECT_EQ(held.get(), error_code{});
  EXPECT_EQ(sequences_of(drain()), numbers(55, 10));
}

TEST_F(PastOthers, OvertakingFramesLeaveNoGap) {
  // A session gives up its third read, whose turn comes behind the second one.
  send(batch_of_run({1, 1}, 15, 5, 0, {.session = 7, .read = 1}));
  send(batch_of_run({2, 1}, 0, 5, 0, {.session = 7, .read = 2}));
  EXPECT_EQ(call(aggregator_->give_up(test::batch_of(
                std::vector<FrameHeader>{test::header(1, 1, 20), test::header(2, 1, 5)}, 0,
                {.session = 7, .read = 3}))),
            error_code{});
  send(batch_of_run({2, 1}, 6, 5, 0, {.session = 7, .read = 4}));
  send(batch_of_run({1, 1}, 21, 5, 0, {.session = 7, .read = 5}));
  EXPECT_EQ(sequences_of(drain(all_frames, 2)),
            (std::vector<std::uint64_t>{0, 1, 2, 3, 4, 6, 7, 8, 9, 10}));
  EXPECT_EQ(drain().taken.frames, 25U);
  for (const OriginStats& origin : call(aggregator_->origins()).value()) {
    EXPECT_EQ(origin.missing + origin.late + origin.duplicates, 0U)
        << "of satellite " << origin.origin->satellite_id;
  }
}

/// Each drain sees every frame whose send had completed: all of them, whatever fills the buffer.
TEST_F(PastOthers, RandomDrainsSeeAllFramesSent) {
  constexpr SatelliteId satellites = 4;
  std::mt19937_64 random(17);
  const auto up_to = [&](std::uint64_t most) {
    return std::uniform_int_distribution<std::uint64_t>(0, most)(random);
  };
  std::map<SatelliteId, std::deque<std::uint64_t>> inside;
  std::map<SatelliteId, std::uint64_t> next;
  for (std::uint64_t i = 0; i < 15; ++i) {
    inside[1].push_back(next[1]++);
  }
  struct Sending {
    std::future<error_code> done;
    std::vector<FrameHeader> headers;
  };
  std::deque<Sending> sending;
  const auto note_completed = [&] {
    // In their order, as one session sends; but several may wait.
    while (!sending.empty() && is_ready(sending.front().done)) {
      EXPECT_EQ(sending.front().done.get(), error_code{});
      for (const FrameHeader& header : sending.front().headers) {
        inside[header.origin.satellite_id].push_back(header.sequence);
      }
      sending.pop_front();
    }
  };
  for (int step = 0; step < 4'000; ++step) {
    SCOPED_TRACE("step " + std::to_string(step));
    if (up_to(2) > 0 && sending.empty()) {
      std::vector<FrameHeader> headers;
      for (std::uint64_t i = 1 + up_to(5); i > 0; --i) {
        const auto satellite = static_cast<SatelliteId>(1 + up_to(satellites - 1));
        headers.push_back(test::header(satellite, 1, next[satellite]++));
      }
      sending.push_back({start_send(test::batch_of(headers)), headers});
      note_completed();
      continue;
    }
    const auto satellite = static_cast<SatelliteId>(1 + up_to(satellites - 1));
    std::deque<std::uint64_t>& expected = inside[satellite];
    const std::uint64_t max_frames = up_to(3) == 0 ? up_to(5) : all_frames;
    Lent lent = lend(max_frames, satellite);
    const std::vector<std::uint64_t> got = sequences_of(lent.frames());
    ASSERT_GE(got.size(), std::min<std::uint64_t>(expected.size(), max_frames));
    note_completed();  // what waited may have come in meanwhile
    ASSERT_GE(expected.size(), got.size());
    const auto end = expected.begin() + static_cast<std::ptrdiff_t>(got.size());
    ASSERT_EQ(got, std::vector<std::uint64_t>(expected.begin(), end));
    if (up_to(2) == 0) {
      ASSERT_EQ(call(std::move(lent).put_back()), error_code{});
    } else {
      ASSERT_EQ(call(std::move(lent).settle()), error_code{});
      expected.erase(expected.begin(), end);
    }
    note_completed();
    ASSERT_TRUE(stats().ledger.balanced());
    // Above its bounds by what has passed and was put back, at most.
    ASSERT_LE(stats().buffer.now.frames, buffer_frames + (capacity + 2) * 6);
  }
}

}  // namespace
}  // namespace meridian::test
