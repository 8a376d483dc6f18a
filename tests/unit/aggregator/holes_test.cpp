// Work does not grow with what was taken out of the middle, or is not there.
#include "unit/aggregator/consumer_fixture.hpp"
#include "unit/aggregator/noting_buffer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <tuple>
#include <utility>
#include <vector>

namespace meridian::test {

using namespace aggregator;
namespace {

using namespace std::chrono_literals;

using Microseconds = std::chrono::duration<double, std::micro>;

/// How long it takes, at best of some times: others use the processor too.
template <typename Call>
Microseconds time_of(Call call) {
  Microseconds best(std::numeric_limits<double>::max());
  for (int i = 0; i < 5; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    call();
    best = std::min<Microseconds>(best, std::chrono::steady_clock::now() - begin);
  }
  return best;
}

/// Frames of two satellites, one behind the other.
FrameBatch interleaved(std::uint64_t first, std::uint32_t frames) {
  std::vector<FrameHeader> headers;
  for (std::uint32_t i = 0; i < frames; ++i) {
    headers.push_back(test::header(1 + i % 2, 1, first + i));
  }
  return test::batch_of(headers);
}

class Holes : public test::ConsumerTest {
 protected:
  static constexpr std::uint64_t frames = 64'000;

  Microseconds time_of_depth() {
    return time_of([this] {
      for (int i = 0; i < 20; ++i) {
        EXPECT_TRUE(call(aggregator_->depth()).has_value());
      }
    });
  }
  Microseconds time_of_stats() {
    return time_of([this] {
      for (int i = 0; i < 20; ++i) {
        std::ignore = stats();
      }
    });
  }
  void read_all(Consumer& consumer, std::uint64_t count) {
    while (count > 0) {
      for (const BufferedBatch& buffered : next(consumer)) {
        count -= buffered.batch.frames();
      }
    }
  }
};

TEST_F(Holes, ConsumerWaitingBesideALeaseRescansNone) {
  spawn_with(WhenFull::backpressure, {{"a"}}, 2 * frames);
  Consumer a = consume("a");
  auto waiting = test::start(context_, a.next(1));
  const Microseconds depth_without = time_of_depth();
  const Microseconds stats_without = time_of_stats();
  for (std::uint64_t i = 0; i < frames; i += 64) {
    send(interleaved(i, 64));
  }
  ASSERT_TRUE(test::is_ready(waiting));
  const auto first = waiting.get().value();
  const Leased leased =
      call(aggregator_->lease({.max_frames = all_frames, .satellite_id = 1, .duration = 1h}))
          .value();
  const std::uint64_t left = call(aggregator_->depth()).value().frames;
  std::uint64_t read_before = 0;
  for (const BufferedBatch& buffered : first) {
    read_before += buffered.batch.frames();
  }
  read_all(a, left - read_before / 2);
  auto waiting_again = test::start(context_, a.next(1));
  ASSERT_FALSE(test::is_ready(waiting_again));
  EXPECT_LT(time_of_depth(), 20 * depth_without);
  EXPECT_LT(time_of_stats(), 20 * stats_without);
  // And misses nothing of what comes back.
  EXPECT_TRUE(call(aggregator_->release(leased.id.value())).has_value());
  ASSERT_TRUE(test::is_ready(waiting_again));
  EXPECT_FALSE(waiting_again.get().value().empty());
}

TEST_F(Holes, BatchWithoutRoomScansNoFramesInFlight) {
  constexpr std::uint64_t in_flight = 5'000;
  spawn_with(WhenFull::drop_newest, {{"a"}, {.name = "b", .hold = false}}, in_flight);
  Consumer b = consume("b");
  for (std::uint64_t i = 0; i < in_flight; ++i) {
    send(batch_of_run({1, 1}, i, 1));
    if (i >= in_flight / 2) {
      std::ignore = next(b, 1);
    }
  }
  std::uint64_t next_sequence = in_flight;
  const auto time_of_sends = [&] {
    return time_of([&] {
      for (int i = 0; i < 20; ++i) {
        send(batch_of_run({1, 1}, next_sequence++, 1));
      }
    });
  };
  const Microseconds with = time_of_sends();
  EXPECT_EQ(stats().ledger.buffered, in_flight) << "a needs all of them";
  spawn_with(WhenFull::drop_newest, {{"a"}, {.name = "b", .hold = false}}, in_flight);
  for (std::uint64_t i = 0; i < in_flight; ++i) {
    send(batch_of_run({1, 1}, i, 1));
  }
  EXPECT_LT(with, 20 * time_of_sends());
}

class HolesInABuffer : public testing::Test {
 protected:
  static constexpr std::uint32_t frames_of_each = 2'000;
  static constexpr std::uint64_t batches = 400;

  HolesInABuffer() {
    for (std::uint64_t i = 0; i < batches; ++i) {
      shared_.push_back(interleaved(i * frames_of_each, frames_of_each));
      buffer_->add(shared_.back().share());
    }
  }

  struct Work {
    std::uint64_t steps = 0;
    std::uint64_t frames = 0;
    std::size_t octets = 0;  // looked through, or moved
  };

  /// Takes all frames of a satellite.
  Work drain(SatelliteId satellite) {
    FrameBuffer::Step step{
        .max_frames = test::any, .satellite_id = satellite, .max_batches = test::any};
    for (Work work{.steps = 1};; ++work.steps) {
      const FrameBuffer::Taken taken = buffer_->take(step);
      step.from_place = taken.next_place;
      work.frames += taken.amount.frames;
      work.octets += taken.octets;
      if (taken.reached_end) {
        return work;
      }
    }
  }

  test::Buffer buffer_{test::limits(test::any, 1'000'000'000, WhenFull::drop_oldest)};
  std::vector<FrameBatch> shared_;
};

TEST_F(HolesInABuffer, AStepLooksThroughABoundedPart) {
  const Work work = drain(99);
  EXPECT_EQ(work.octets, batches * frames_of_each * frame_header_bytes);
  EXPECT_GE(work.steps, work.octets / (5 * 1024 * 1024));
}

TEST_F(HolesInABuffer, AbsentSatelliteIsSearchedForOnce) {
  std::ignore = drain(99);
  for (const SatelliteId satellite : {99U, 98U, 97U}) {
    const Work work = drain(satellite);
    EXPECT_EQ(work.steps, 1U);
    EXPECT_EQ(work.octets, 0U) << "each batch knows its satellites";
  }
}

TEST_F(HolesInABuffer, ARareSatelliteIsFoundWithoutAWalk) {
  buffer_->add(batch_of_run({99, 1}, 0, 3));
  std::ignore = drain(98);
  const Work work = drain(99);
  EXPECT_EQ(work.frames, 3U);
  EXPECT_LE(work.octets, 3 * frame_header_bytes) << "only what is taken moves";
}

TEST_F(HolesInABuffer, FramesAddedBesideALeaseAreNotWalked) {
  const auto time_to_add = [this] {
    return time_of([this] {
      for (const FrameBatch& batch : shared_) {
        buffer_->add(batch.share());
      }
    });
  };
  const Microseconds without = time_to_add();
  std::ignore = buffer_->take(
      {.max_frames = 1, .max_batches = test::any, .room = FrameBuffer::KeptRoom::leased});
  EXPECT_LT(time_to_add(), 5 * without);
}

}  // namespace
}  // namespace meridian::test
