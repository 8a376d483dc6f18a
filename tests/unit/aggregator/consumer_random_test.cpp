// Whatever happens in the buffer, each consumer has each frame once, or it is counted.
#include "unit/aggregator/consumer_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace meridian::test {

using namespace aggregator;
namespace {

struct Mix {
  const char* name;
  WhenFull when_full;
  std::vector<ConsumerOptions> consumers;
};

/// Consumers, drains, leases and flushes at random. What a consumer has acknowledged and what it
/// has skipped are all frames, none twice.
class ConsumersAtRandom : public test::ConsumerTest, public testing::WithParamInterface<Mix> {
 protected:
  struct Reader {
    std::string name;
    Consumer consumer;
    Batches in_flight{};
    std::set<std::uint64_t> had{};
  };

  std::uint64_t up_to(std::uint64_t most) {
    return std::uniform_int_distribution<std::uint64_t>(0, most)(random_);
  }

  SatelliteId satellite() { return static_cast<SatelliteId>(1 + up_to(1)); }

  std::optional<SatelliteId> some_satellite() {
    return up_to(1) == 0 ? std::optional(satellite()) : std::nullopt;
  }

  void read(Reader& reader) {
    const ConsumerStats before = stats_of(reader.name);
    if (before.unread.frames == 0 || reader.in_flight.size() > 8) {
      return;
    }
    auto started = test::start(context_, reader.consumer.next(up_to(20'000)));
    while (!test::is_ready(started)) {
      // All that it has not read is lent or leased. It comes back, or something new comes.
      settle_all();
      end_leases();
      test::poll(context_);
      if (!test::is_ready(started)) {
        send_some();
      }
    }
    for (BufferedBatch& buffered : started.get().value()) {
      for (const FrameView frame : buffered.batch) {
        EXPECT_TRUE(reader.had.insert(frame.header.sequence).second) << "read twice";
      }
      reader.in_flight.push_back(std::move(buffered));
    }
  }

  void acknowledge_some(Reader& reader) {
    for (std::uint64_t i = up_to(4); i > 0 && !reader.in_flight.empty(); --i) {
      const auto chosen = reader.in_flight.begin() +
                          static_cast<std::ptrdiff_t>(up_to(reader.in_flight.size() - 1));
      EXPECT_EQ(call(reader.consumer.acknowledge({chosen->places()})), error_code{});
      reader.in_flight.erase(chosen);
    }
  }

  void send_some() {
    const auto count = static_cast<std::uint32_t>(1 + up_to(6));
    std::vector<FrameHeader> headers;
    for (std::uint32_t i = 0; i < count; ++i) {
      headers.push_back(test::header(satellite(), 1, next_ + i));
    }
    auto sent = test::start(context_, aggregator_->send(test::batch_of(headers, up_to(1) * large)));
    while (!test::is_ready(sent)) {  // backpressure
      settle_all();
      end_leases();
      for (Reader& reader : readers_) {
        acknowledge(reader.consumer, std::exchange(reader.in_flight, {}));
        read(reader);
      }
      test::poll(context_);
    }
    EXPECT_EQ(sent.get(), error_code{});
    next_ += count;
  }

  void drain_some() { lent_.push_back(lend(1 + up_to(9), some_satellite())); }

  void lease_some() {
    const Leased leased = call(aggregator_->lease({.max_frames = 1 + up_to(9),
                                                   .satellite_id = some_satellite(),
                                                   .duration = std::chrono::hours(1)}))
                              .value();
    if (leased.id) {
      leases_.push_back(*leased.id);
    }
  }

  /// Those that were evicted have ended.
  void end_leases() {
    for (const LeaseId id : std::exchange(leases_, {})) {
      const auto ended =
          up_to(1) == 0 ? call(aggregator_->commit(id)) : call(aggregator_->release(id));
      EXPECT_EQ(ended ? error_code{} : ended.error(),
                ended ? error_code{} : error_code(Errc::lease_evicted));
    }
  }

  /// A consumer goes without a word, and another of its name reads on.
  void claim_again(Reader& reader) {
    {
      const Consumer gone = std::move(reader.consumer);
    }
    reader.consumer = consume(reader.name);
    for (const BufferedBatch& buffered : std::exchange(reader.in_flight, {})) {
      for (const FrameView frame : buffered.batch) {
        reader.had.erase(frame.header.sequence);
      }
    }
  }

  void settle_all() {
    for (Lent& lent : std::exchange(lent_, {})) {
      // What comes back may be refused, and would be counted as such and as skipped.
      if (GetParam().when_full == WhenFull::drop_newest || up_to(1) == 0) {
        EXPECT_EQ(call(std::move(lent).settle()), error_code{});
      } else {
        EXPECT_EQ(call(std::move(lent).put_back()), error_code{});
      }
    }
  }

  std::mt19937_64 random_{2026};
  std::uint64_t next_ = 0;
  std::vector<Lent> lent_;
  std::vector<LeaseId> leases_;
  std::vector<Reader> readers_;
};

TEST_P(ConsumersAtRandom, EachReadsOrCountsEveryFrameOnce) {
  spawn_with(GetParam().when_full, GetParam().consumers, 60);
  for (const ConsumerOptions& each : GetParam().consumers) {
    readers_.push_back({each.name, consume(each.name)});
  }
  for (int step = 0; step < 2'500; ++step) {
    switch (up_to(15)) {
      case 0:
        drain_some();
        break;
      case 1:
        settle_all();
        break;
      case 2:
        if (GetParam().when_full != WhenFull::backpressure && up_to(40) == 0) {
          EXPECT_TRUE(call(aggregator_->flush()).has_value());
        }
        break;
      case 13:
        lease_some();
        break;
      case 14:
        end_leases();
        break;
      case 15:
        if (up_to(20) == 0) {
          claim_again(readers_[up_to(readers_.size() - 1)]);
        }
        break;
      case 3:
      case 4:
      case 5:
        send_some();
        break;
      case 6:
      case 7:
      case 8:
        acknowledge_some(readers_[up_to(readers_.size() - 1)]);
        break;
      default:
        read(readers_[up_to(readers_.size() - 1)]);
        break;
    }
    ASSERT_FALSE(HasFailure()) << "step " << step;
    // Above the bound by what the channel held when a drain was put back, at most.
    ASSERT_LE(stats().buffer.now.frames, 60U + 16 * 7);
  }
  settle_all();
  end_leases();
  // What one acknowledges may let in more for all of them.
  while (std::ranges::any_of(stats().consumers,
                             [](const ConsumerStats& each) { return each.lag != Amount{}; })) {
    for (Reader& reader : readers_) {
      acknowledge(reader.consumer, std::exchange(reader.in_flight, {}));
      read(reader);
    }
  }
  const AggregatorStats last = stats();
  for (const Reader& reader : readers_) {
    const ConsumerStats now = stats_of(reader.name);
    std::uint64_t skipped = 0;
    for (const std::uint64_t each : now.skipped) {
      skipped += each;
    }
    EXPECT_EQ(now.acknowledged.frames, reader.had.size());
    const std::uint64_t refused = last.ledger.dropped_for(DropReason::buffer_full_newest);
    EXPECT_EQ(now.acknowledged.frames + skipped + refused, last.ledger.received) << reader.name;
  }
  EXPECT_EQ(last.ledger.buffered, 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Each, ConsumersAtRandom,
    testing::Values(
        Mix{"OneHolds", WhenFull::backpressure, {{"a"}}},
        Mix{"TwoHold", WhenFull::backpressure, {{"a"}, {"b"}}},
        Mix{"OneHoldsOneIsBehind", WhenFull::backpressure, {{"a"}, {.name = "b", .hold = false}}},
        Mix{"NobodyHolds",
            WhenFull::backpressure,
            {{.name = "a", .hold = false}, {.name = "b", .hold = false}}},
        Mix{"NewestAreRefused", WhenFull::drop_newest, {{"a"}, {"b"}}},
        Mix{"NewestAreRefusedOneIsBehind",
            WhenFull::drop_newest,
            {{"a"}, {.name = "b", .hold = false}}},
        Mix{"OldestAreDropped",
            WhenFull::drop_oldest,
            {{.name = "a", .hold = false}, {.name = "b", .hold = false}}}),
    [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace meridian::test
