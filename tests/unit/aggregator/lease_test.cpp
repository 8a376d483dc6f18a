// Leases: frames that are handed out and kept aside until they are committed, or come back.
#include "aggregator/maintenance.hpp"
#include "integration/harness/deadlines.hpp"
#include "unit/aggregator/aggregator_fixture.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <vector>

namespace meridian::test {

using namespace aggregator;
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

std::vector<bool> marks_of(const Drained& drained) {
  std::vector<bool> marks;
  for (const BufferedBatch& buffered : drained.batches) {
    marks.insert(marks.end(), buffered.batch.frames(), buffered.batch.redelivered());
  }
  return marks;
}

class Lease : public test::AggregatorTest {
 protected:
  void SetUp() override { spawn(options(16, 100, WhenFull::drop_oldest)); }

  Leased lease(std::uint64_t max_frames = all_frames,
               std::chrono::steady_clock::duration duration = 1h,
               std::optional<SatelliteId> satellite = std::nullopt) {
    return call(aggregator_->lease(
                    {.max_frames = max_frames, .satellite_id = satellite, .duration = duration}))
        .value();
  }
  void send_run(std::uint64_t first, std::uint32_t count, SatelliteId satellite = 1) {
    send(batch_of_run({satellite, 1}, first, count));
  }
  error_code commit_error(LeaseId id) {
    const auto ended = call(aggregator_->commit(id));
    return ended ? error_code{} : ended.error();
  }
  std::uint64_t ended(LeaseEnd how) {
    return stats().leases.ended.at(static_cast<std::size_t>(how));
  }
};

TEST_F(Lease, FramesAreKeptAsideUntilTheyAreCommitted) {
  send_run(0, 10);
  const Leased leased = lease(4);
  EXPECT_EQ(sequences_of(leased.frames), numbers(0, 4));
  EXPECT_EQ(leased.frames.remaining, 6U);
  EXPECT_EQ(stats().ledger.leased, 4U);
  EXPECT_EQ(stats().ledger.buffered, 6U);
  EXPECT_EQ(stats().ledger.drained, 0U);
  EXPECT_EQ(stats().leases.open, 1U);

  EXPECT_EQ(call(aggregator_->commit(leased.id.value())).value().frames, 4U);
  EXPECT_EQ(stats().ledger.leased, 0U);
  EXPECT_EQ(stats().ledger.drained, 4U);
  EXPECT_EQ(ended(LeaseEnd::committed), 1U);
  EXPECT_EQ(sequences_of(drain()), numbers(4, 6));
}

TEST_F(Lease, OfNothingIsNone) {
  const Leased leased = lease();
  EXPECT_FALSE(leased.id.has_value());
  EXPECT_EQ(stats().leases.open, 0U);
}

TEST_F(Lease, ReleasedFramesComeBackToTheirPlaceMarked) {
  send_run(0, 5);
  const Leased first = lease(2);
  const Leased second = lease(2);
  send_run(5, 1);
  EXPECT_EQ(call(aggregator_->release(first.id.value())).value().frames, 2U);
  const Drained drained = drain();
  EXPECT_THAT(sequences_of(drained), ElementsAre(0, 1, 4, 5));
  EXPECT_THAT(marks_of(drained), ElementsAre(true, true, false, false));
  EXPECT_EQ(call(aggregator_->release(second.id.value())).value().frames, 2U);
  EXPECT_THAT(marks_of(drain()), ElementsAre(true, true));
  EXPECT_EQ(ended(LeaseEnd::released), 2U);
}

TEST_F(Lease, ExpiresByItselfAndRefusesALateCommit) {
  send_run(0, 3);
  const Leased leased = lease(all_frames, 5ms);
  context_.restart();
  while (stats().ledger.leased > 0) {
    context_.restart();
    context_.run_one_for(1s);  // the timer rings
  }
  EXPECT_EQ(commit_error(leased.id.value()), Errc::lease_expired);
  EXPECT_EQ(ended(LeaseEnd::expired), 1U);
  const Drained drained = drain();
  EXPECT_EQ(sequences_of(drained), numbers(0, 3));
  EXPECT_THAT(marks_of(drained), ElementsAre(true, true, true));
}

TEST_F(Lease, LateCommitIsRefusedEvenBeforeTheTimer) {
  send_run(0, 3);
  const Leased leased = lease(all_frames, 0s);
  EXPECT_EQ(commit_error(leased.id.value()), Errc::lease_expired);
  EXPECT_EQ(stats().ledger.buffered, 3U);
}

TEST_F(Lease, EndsOnce) {
  send_run(0, 3);
  const Leased leased = lease();
  EXPECT_EQ(commit_error(leased.id.value()), error_code{});
  EXPECT_EQ(commit_error(leased.id.value()), Errc::lease_unknown);
  EXPECT_EQ(call(aggregator_->release(leased.id.value())).error(), Errc::lease_unknown);
  EXPECT_EQ(commit_error(4711), Errc::lease_unknown);
}

TEST_F(Lease, OfOneSatelliteLeavesTheOthers) {
  send_run(0, 2, 1);
  send_run(0, 3, 2);
  const Leased leased = lease(all_frames, 1h, 2);
  EXPECT_EQ(leased.frames.taken.frames, 3U);
  EXPECT_EQ(drain().taken.frames, 2U);
}

TEST_F(Lease, CountsAgainstTheBounds) {
  send_run(0, 100);
  const Leased leased = lease(60);
  send_run(100, 50);
  EXPECT_EQ(stats().ledger.leased, 60U);
  EXPECT_EQ(stats().ledger.buffered, 40U);
  EXPECT_EQ(stats().ledger.dropped_for(DropReason::buffer_full_oldest), 50U);
  EXPECT_EQ(stats().ledger.dropped_for(DropReason::lease_evicted), 0U)
      << "what is buffered goes first";
}

TEST_F(Lease, IsEvictedIfNewFramesNeedItsRoom) {
  send_run(0, 100);
  const Leased first = lease(60);
  const Leased second = lease(40);
  send_run(100, 1);
  EXPECT_EQ(stats().ledger.dropped_for(DropReason::lease_evicted), 60U);
  EXPECT_EQ(stats().ledger.leased, 40U);
  EXPECT_EQ(ended(LeaseEnd::evicted), 1U);
  EXPECT_EQ(commit_error(first.id.value()), Errc::lease_evicted);
  EXPECT_EQ(commit_error(second.id.value()), error_code{});
  EXPECT_EQ(sequences_of(drain()), numbers(100, 1));
}

TEST_F(Lease, KeepsItsRoomUnderTheOtherPolicies) {
  for (const WhenFull when_full : {WhenFull::drop_newest, WhenFull::backpressure}) {
    spawn(options(16, 10, when_full));
    send_run(0, 10);
    const Leased leased = lease();
    send_run(10, 5);
    EXPECT_EQ(stats().ledger.buffered, 0U);
    EXPECT_EQ(stats().ledger.leased, 10U);
    EXPECT_EQ(call(aggregator_->release(leased.id.value())).value().frames, 10U);
    EXPECT_EQ(stats().ledger.buffered, 10U) << "all came back";
    EXPECT_EQ(sequences_of(drain(10)), numbers(0, 10));
  }
}

TEST_F(Lease, CommitLetsInWhatBackpressureHeld) {
  spawn(options(16, 10, WhenFull::backpressure));
  send_run(0, 10);
  const Leased leased = lease();
  send_run(10, 5);
  EXPECT_EQ(stats().ledger.buffered, 0U);
  EXPECT_EQ(commit_error(leased.id.value()), error_code{});
  EXPECT_EQ(sequences_of(drain()), numbers(10, 5));
}

/// A full buffer under backpressure, and a channel that holds a hundred times as much.
class LeaseUnderBackpressure : public Lease {
 protected:
  static constexpr std::uint64_t most = 100;

  void SetUp() override {
    spawn(options(128, most, WhenFull::backpressure));
    for (std::uint64_t i = 0; i <= most; ++i) {
      send_run(i * most, most);
    }
  }
  [[nodiscard]] std::uint64_t held() {
    const Ledger ledger = stats().ledger;
    return ledger.leased + ledger.buffered;
  }
};

TEST_F(LeaseUnderBackpressure, CountsAgainstBoundsWhileTheChannelHoldsFrames) {
  std::uint64_t next = 0;
  while (next < most * (most + 1)) {
    const Leased leased = lease();
    ASSERT_EQ(sequences_of(leased.frames), numbers(next, most));
    EXPECT_EQ(held(), most);
    EXPECT_FALSE(lease().id.has_value()) << "there is no room for another one";
    EXPECT_EQ(held(), most);
    ASSERT_EQ(commit_error(leased.id.value()), error_code{});
    next += most;
  }
  EXPECT_EQ(held(), 0U);
}

TEST_F(LeaseUnderBackpressure, CountsBesideADrainOfTheChannel) {
  const Leased leased = lease(60);
  EXPECT_EQ(held(), most);
  Lent lent = lend();
  EXPECT_EQ(lent.frames().taken.frames, most * most + 40) << "all that was sent";
  EXPECT_EQ(stats().ledger.leased, 60U);
  EXPECT_EQ(call(std::move(lent).settle()), error_code{});
  EXPECT_EQ(sequences_of(leased.frames), numbers(0, 60));
}

TEST_F(LeaseUnderBackpressure, DrainsSeeWhatFindsNoRoomBesideIt) {
  const Leased leased = lease();
  EXPECT_EQ(leased.frames.taken.frames, most);
  EXPECT_EQ(sequences_of(drain(250)), numbers(most, 250));
  EXPECT_EQ(sequences_of(drain()), numbers(most + 250, most * most - 250));
}

TEST_F(LeaseUnderBackpressure, OfOneSatelliteAloneStaysWithinTheBounds) {
  spawn(options(128, most, WhenFull::backpressure));
  send_run(0, most, 1);
  for (std::uint64_t i = 0; i < 20; ++i) {
    send_run(i * 30, 30, 2);
  }
  const Leased leased = lease(all_frames, 1h, 2);
  EXPECT_EQ(sequences_of(leased.frames), numbers(0, most));
  EXPECT_FALSE(lease(all_frames, 1h, 2).id.has_value());
  EXPECT_EQ(held(), 2 * most) << "those of satellite 1 were there before";
  EXPECT_TRUE(aggregator_->try_send(batch_of_run({1, 1}, 0, 1)).has_value());
  ASSERT_EQ(commit_error(leased.id.value()), error_code{});
  EXPECT_EQ(held(), most);
  EXPECT_EQ(sequences_of(lease(all_frames, 1h, 2).frames), numbers(most, most));
}

TEST_F(LeaseUnderBackpressure, OfOneSatelliteInMixedReadsStaysBounded) {
  spawn(options(128, 10, WhenFull::backpressure));
  send_run(0, 10, 1);
  std::vector<FrameHeader> headers;
  for (std::uint64_t i = 0; i < 12; ++i) {
    headers.push_back(test::header(1, 1, 10 + i));
    headers.push_back(test::header(2, 1, i));
  }
  send(test::batch_of(headers));
  const Leased leased = lease(all_frames, 1h, 2);
  EXPECT_EQ(sequences_of(leased.frames), numbers(0, 10));
  EXPECT_EQ(sequences_of(drain(all_frames, 1)), numbers(0, 22));
}

TEST_F(Lease, NarrowerLimitsEvictItBeforeBufferedFrames) {
  for (const std::uint64_t max_frames : {40U, 20U, 1U}) {
    spawn(options(16, 100, WhenFull::drop_oldest));
    send_run(0, 100);
    const Leased leased = lease(50);
    EXPECT_EQ(call(Maintenance(*aggregator_).set_limits({.max_frames = max_frames}, 10)),
              error_code{});
    EXPECT_EQ(commit_error(leased.id.value()), Errc::lease_evicted);
    EXPECT_EQ(stats().ledger.dropped_for(DropReason::lease_evicted), 50U);
    EXPECT_EQ(sequences_of(drain()), numbers(100 - max_frames, max_frames));
  }
}

TEST_F(Lease, NarrowerLimitsInOctetsEvictItToo) {
  send_run(0, 100);
  const Leased leased = lease(50);
  EXPECT_EQ(call(Maintenance(*aggregator_).set_limits({.max_bytes = 20 * frame_header_bytes}, 10)),
            error_code{});
  EXPECT_EQ(commit_error(leased.id.value()), Errc::lease_evicted);
  EXPECT_EQ(sequences_of(drain()), numbers(80, 20));
}

TEST_F(Lease, NarrowerLimitsEvictOnlyTheOldest) {
  send_run(0, 100);
  std::vector<LeaseId> ids;
  for (int i = 0; i < 5; ++i) {
    ids.push_back(lease(10).id.value());
  }
  EXPECT_EQ(call(Maintenance(*aggregator_).set_limits({.max_frames = 25}, 10)), error_code{});
  EXPECT_EQ(stats().ledger.leased, 20U);
  EXPECT_EQ(sequences_of(drain()), numbers(95, 5));
  for (std::size_t i = 0; i < ids.size(); ++i) {
    EXPECT_EQ(commit_error(ids[i]), i < 3 ? error_code(Errc::lease_evicted) : error_code{});
  }
}

TEST_F(Lease, NarrowerLimitsGiveBackOfItWhatFits) {
  for (const std::uint64_t leased_frames : {90U, 100U}) {
    spawn(options(16, 100, WhenFull::drop_oldest));
    for (std::uint64_t i = 0; i < 10; ++i) {
      send_run(10 * i, 10);
    }
    const Leased leased = lease(leased_frames);
    EXPECT_EQ(call(Maintenance(*aggregator_).set_limits({.max_frames = 25}, 10)), error_code{});
    EXPECT_EQ(commit_error(leased.id.value()), Errc::lease_evicted);
    EXPECT_EQ(stats().ledger.dropped_for(DropReason::lease_evicted), 75U);
    EXPECT_TRUE(stats().ledger.balanced());
    EXPECT_EQ(sequences_of(drain()), numbers(75, 25));
  }
}

TEST_F(Lease, NarrowerLimitsLeaveItWhereItFits) {
  send_run(0, 100);
  const Leased leased = lease(50);
  EXPECT_EQ(call(Maintenance(*aggregator_).set_limits({.max_frames = 60}, 10)), error_code{});
  EXPECT_EQ(commit_error(leased.id.value()), error_code{});
  EXPECT_EQ(sequences_of(drain()), numbers(90, 10));
}

TEST_F(Lease, FlushLeavesItAlone) {
  send_run(0, 10);
  const Leased leased = lease(4);
  EXPECT_EQ(call(aggregator_->flush()).value(), 6U);
  EXPECT_EQ(call(aggregator_->release(leased.id.value())).value().frames, 4U);
  EXPECT_EQ(sequences_of(drain()), numbers(0, 4));
}

TEST_F(Lease, OfManyBatchesReturnsBeforeTheNextRequest) {
  constexpr std::uint32_t batches = 10'000;
  spawn(options(16, 10 * batches, WhenFull::drop_oldest));
  for (std::uint32_t i = 0; i < batches; ++i) {
    send(batch_of_run({1, 1}, i, 1, 4096));
  }
  const Leased leased = lease();
  EXPECT_EQ(leased.frames.batches.size(), batches);
  EXPECT_EQ(call(aggregator_->release(leased.id.value())).value().frames, batches);
  EXPECT_EQ(sequences_of(drain()), numbers(0, batches));
}

TEST_F(Lease, CancelledAtAnyMomentIsWithdrawnUnmarked) {
  constexpr std::uint32_t batches = 2'100;  // two steps
  bool was_withdrawn_once = false;
  const int moments_apart = test::slowdown == 1 ? 2 : 6;
  for (int moment = 0; moment < 30; moment += moments_apart) {
    spawn(options(16, 10 * batches, WhenFull::drop_oldest));
    for (std::uint32_t i = 0; i < batches; ++i) {
      send(batch_of_run({1, 1}, i, 1, 4096));
    }
    asio::cancellation_signal cancel;
    auto leased =
        asio::co_spawn(context_, aggregator_->lease({.max_frames = all_frames, .duration = 1h}),
                       asio::bind_cancellation_slot(cancel.slot(), asio::use_future));
    context_.restart();
    for (int i = 0; i < moment; ++i) {
      context_.poll_one();
    }
    was_withdrawn_once |= !test::is_ready(leased);
    cancel.emit(asio::cancellation_type::terminal);
    test::poll(context_);
    ASSERT_TRUE(test::is_ready(leased));
    bool was_leased = false;
    try {
      const auto result = leased.get();
      was_leased = result.has_value() && result->id.has_value();
      if (was_leased) {
        EXPECT_TRUE(call(aggregator_->release(*result->id)).has_value());
      }
    } catch (const boost::system::system_error& error) {
      EXPECT_EQ(error.code(), asio::error::operation_aborted);
    }
    test::poll(context_);
    EXPECT_EQ(stats().leases.open, 0U) << moment;
    const Drained drained = drain();
    EXPECT_EQ(sequences_of(drained), numbers(0, batches)) << moment;
    EXPECT_THAT(marks_of(drained), testing::Each(was_leased));
  }
  EXPECT_TRUE(was_withdrawn_once);
}

TEST_F(Lease, IsPartOfWhatAShutDownLeaves) {
  send_run(0, 10);
  std::ignore = lease(3);
  const FinalState last = call(aggregator_->shut_down()).value();
  EXPECT_EQ(last.stats.ledger.leased, 0U);
  EXPECT_EQ(last.stats.ledger.buffered, 10U);
  std::uint64_t marked = 0;
  for (const auto& [place, batch] : last.saved.frames) {
    marked += batch.redelivered() ? batch.frames() : 0;
  }
  EXPECT_EQ(marked, 3U);
}

TEST_F(Lease, ExpiredOnesAreRememberedUpToABound) {
  std::vector<LeaseId> ids;
  for (std::size_t i = 0; i < 4'097; ++i) {
    send_run(i, 1);
    ids.push_back(lease(1, 0s).id.value());
    EXPECT_EQ(commit_error(ids.back()), Errc::lease_expired);
    std::ignore = drain();
  }
  EXPECT_EQ(commit_error(ids.at(0)), Errc::lease_unknown);
  EXPECT_EQ(commit_error(ids.at(1)), Errc::lease_expired);
}

}  // namespace
}  // namespace meridian::test
