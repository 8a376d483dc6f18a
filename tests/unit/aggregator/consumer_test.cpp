// Consumers: each reads the buffer along, and frames stay until all have them.
#include "unit/aggregator/aggregator_fixture.hpp"

#include <meridian/consumer.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/error.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace meridian {
namespace {

using namespace std::chrono_literals;
using testing::all_frames;
using testing::batch_of_run;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::numbers;
using testing::options;

using Batches = std::vector<BufferedBatch>;

std::vector<std::uint64_t> sequences_in(const Batches& batches) {
  std::vector<std::uint64_t> sequences;
  for (const BufferedBatch& buffered : batches) {
    for (const FrameView frame : buffered.batch) {
      sequences.push_back(frame.header.sequence);
    }
  }
  return sequences;
}

std::vector<PlaceRange> places_of(const Batches& batches) {
  std::vector<PlaceRange> places;
  for (const BufferedBatch& buffered : batches) {
    places.push_back(buffered.places());
  }
  return places;
}

/// Batches that are not joined.
constexpr std::size_t large = 4096;

class ConsumerTest : public testing::AggregatorTest {
 protected:
  void spawn_with(WhenFull when_full, std::vector<ConsumerOptions> consumers,
                  std::uint64_t max_frames = 100) {
    AggregatorOptions with = options(16, max_frames, when_full);
    with.consumers = std::move(consumers);
    spawn(with);
  }
  Consumer consume(const std::string& name) {
    std::optional<Consumer> consumer;
    EXPECT_EQ(call(begin(*aggregator_, name, consumer)), error_code{});
    return *std::move(consumer);
  }
  /// Asio cannot return from a coroutine that it starts what has no default.
  static asio::awaitable<error_code> begin(AggregatorHandle aggregator, std::string name,
                                           std::optional<Consumer>& out) {
    auto consumer = co_await aggregator.consume(std::move(name));
    if (!consumer) {
      co_return consumer.error();
    }
    out.emplace(*std::move(consumer));
    co_return error_code{};
  }
  Batches next(Consumer& consumer, std::size_t max_bytes = 1'000'000'000) {
    return call(consumer.next(max_bytes)).value();
  }
  void acknowledge(Consumer& consumer, const Batches& batches) {
    EXPECT_EQ(call(consumer.acknowledge(places_of(batches))), error_code{});
  }
  ConsumerStats stats_of(const std::string& name) {
    const AggregatorStats all = stats();
    return *std::ranges::find(all.consumers, name, &ConsumerStats::name);
  }
  std::uint64_t skipped(const std::string& name, Skip why) {
    return stats_of(name).skipped.at(static_cast<std::size_t>(why));
  }
  void send_run(std::uint64_t first, std::uint32_t count = 1) {
    send(batch_of_run({1, 1}, first, count, large));
  }
};

TEST_F(ConsumerTest, ReadsWhatIsThereAndThenWhatComes) {
  spawn_with(WhenFull::backpressure, {{"a"}});
  send_run(0, 3);
  Consumer a = consume("a");
  EXPECT_EQ(sequences_in(next(a)), numbers(0, 3));
  auto waiting = testing::start(context_, a.next(1'000));
  EXPECT_FALSE(testing::is_ready(waiting));
  send_run(3, 2);
  testing::poll(context_);
  EXPECT_EQ(sequences_in(waiting.get().value()), numbers(3, 2));
}

TEST_F(ConsumerTest, OfAnUnknownNameIsNone) {
  spawn_with(WhenFull::backpressure, {{"a"}});
  std::optional<Consumer> consumer;
  EXPECT_EQ(call(begin(*aggregator_, "b", consumer)), Errc::consumer_unknown);
}

TEST_F(ConsumerTest, FramesStayUntilAllHaveThem) {
  spawn_with(WhenFull::backpressure, {{"a"}, {"b"}});
  send_run(0, 3);
  Consumer a = consume("a");
  Consumer b = consume("b");
  acknowledge(a, next(a));
  EXPECT_EQ(stats().ledger.buffered, 3U);
  EXPECT_EQ(stats_of("a").lag, Depth{});
  EXPECT_EQ(stats_of("a").acknowledged.frames, 3U);
  EXPECT_EQ(stats_of("b").lag.frames, 3U);
  const Batches read = next(b);
  EXPECT_EQ(stats_of("b").in_flight.frames, 3U);
  acknowledge(b, read);
  EXPECT_EQ(stats().ledger.buffered, 0U);
  EXPECT_EQ(stats().ledger.delivered, 3U);
  EXPECT_EQ(stats_of("b").in_flight, Depth{});
}

TEST_F(ConsumerTest, AcknowledgesInAnyOrderAndOnce) {
  spawn_with(WhenFull::backpressure, {{"a"}});
  for (std::uint64_t i = 0; i < 4; ++i) {
    send_run(i);
  }
  Consumer a = consume("a");
  const Batches read = next(a);
  ASSERT_EQ(read.size(), 4U);
  for (const std::size_t index : {2U, 0U, 0U, 3U}) {
    EXPECT_EQ(call(a.acknowledge({read[index].places()})), error_code{});
  }
  EXPECT_EQ(stats().ledger.delivered, 3U);
  EXPECT_EQ(testing::sequences_of(drain()), numbers(1, 1));
  EXPECT_EQ(call(a.acknowledge({{4711, 1}, {read[1].place, 2}})), error_code{})
      << "what it has not read so is not acknowledged";
  EXPECT_EQ(stats_of("a").in_flight.frames, 1U);
}

TEST_F(ConsumerTest, ReadsWholeBatchesUpToABound) {
  spawn_with(WhenFull::backpressure, {{"a"}});
  for (std::uint64_t i = 0; i < 4; ++i) {
    send_run(i);
  }
  Consumer a = consume("a");
  EXPECT_EQ(next(a, 1).size(), 1U) << "at least one";
  EXPECT_EQ(next(a, 2 * (large + frame_header_bytes)).size(), 2U);
  EXPECT_EQ(next(a).size(), 1U);
}

TEST_F(ConsumerTest, SmallFramesThatComeBehindWhatWasReadAreNotJoinedToIt) {
  spawn_with(WhenFull::backpressure, {{"a"}});
  Consumer a = consume("a");
  send(batch_of_run({1, 1}, 0, 1));
  const Batches first = next(a);
  send(batch_of_run({1, 1}, 1, 1));
  send(batch_of_run({1, 1}, 2, 1));
  acknowledge(a, first);
  EXPECT_EQ(sequences_in(next(a)), numbers(1, 2));
}

TEST_F(ConsumerTest, ThatHoldsMakesUplinksWait) {
  spawn_with(WhenFull::backpressure, {{"a"}}, 3);
  for (std::uint64_t i = 0; i < 5; ++i) {
    send_run(i);
  }
  Consumer a = consume("a");
  const Batches read = next(a);
  EXPECT_EQ(sequences_in(read), numbers(0, 3));
  acknowledge(a, read);
  EXPECT_EQ(sequences_in(next(a)), numbers(3, 2));
  EXPECT_EQ(stats().ledger.received, 5U);
}

TEST_F(ConsumerTest, ThatDoesNotHoldMakesRoomUnderEveryPolicy) {
  const std::map<WhenFull, DropReason> reasons{
      {WhenFull::backpressure, DropReason::consumer_behind},
      {WhenFull::drop_newest, DropReason::consumer_behind},
      {WhenFull::drop_oldest, DropReason::buffer_full_oldest}};
  for (const auto& [when_full, reason] : reasons) {
    spawn_with(when_full, {{.name = "a", .hold = false}}, 3);
    Consumer a = consume("a");
    send_run(0);
    const Batches in_flight = next(a);
    for (std::uint64_t i = 1; i < 6; ++i) {
      send_run(i);
    }
    EXPECT_EQ(stats().ledger.dropped_for(reason), 3U);
    EXPECT_EQ(skipped("a", Skip::buffer_full), 3U);
    EXPECT_EQ(sequences_in(next(a)), numbers(4, 2));
    acknowledge(a, in_flight);
    EXPECT_EQ(stats().ledger.delivered, 1U) << "what was in flight has stayed";
  }
}

TEST_F(ConsumerTest, ThatDoesNotHoldMakesRoomWithAllOfTheBufferInFlight) {
  for (const std::vector<ConsumerOptions>& others :
       {std::vector<ConsumerOptions>{}, std::vector<ConsumerOptions>{{"a"}}}) {
    std::vector<ConsumerOptions> all = others;
    all.push_back({.name = "b", .hold = false});
    spawn_with(WhenFull::backpressure, all, 3);
    Consumer b = consume("b");
    Batches in_flight;
    for (std::uint64_t i = 0; i < 6; ++i) {
      send_run(i);
      std::ranges::move(next(b), std::back_inserter(in_flight));
      if (!others.empty()) {
        Consumer a = consume("a");
        acknowledge(a, next(a));
      }
    }
    EXPECT_EQ(stats().ledger.buffered, 3U);
    EXPECT_EQ(skipped("b", Skip::buffer_full), 0U) << "it has them";
    acknowledge(b, in_flight);
    EXPECT_EQ(stats_of("b").acknowledged.frames, 6U);
    EXPECT_EQ(stats_of("b").lag.frames, 0U);
    EXPECT_EQ(stats().ledger.buffered, 0U);
  }
}

TEST_F(ConsumerTest, ThatIsBehindLeavesFramesToThoseWhoHold) {
  spawn_with(WhenFull::backpressure, {{"a"}, {.name = "b", .hold = false}}, 3);
  Consumer a = consume("a");
  Consumer b = consume("b");
  for (std::uint64_t i = 0; i < 9; ++i) {
    send_run(i);
    acknowledge(a, next(a));
  }
  EXPECT_EQ(stats_of("a").acknowledged.frames, 9U);
  EXPECT_EQ(skipped("b", Skip::buffer_full), 6U);
  EXPECT_EQ(stats().ledger.delivered, 6U) << "they are not lost: a has them";
  EXPECT_EQ(sequences_in(next(b)), numbers(6, 3));
  EXPECT_EQ(stats().ledger.received, 9U);
}

TEST_F(ConsumerTest, SkipsWhatIsDrainedOnceItIsDelivered) {
  spawn_with(WhenFull::backpressure, {{"a"}});
  for (std::uint64_t i = 0; i < 4; ++i) {
    send_run(i);
  }
  Consumer a = consume("a");
  Drained lent = call(aggregator_->drain({.max_frames = 2, .lend = true})).value();
  EXPECT_EQ(sequences_in(next(a)), numbers(2, 2)) << "what is not there is passed over";
  EXPECT_EQ(call(aggregator_->settle(lent)), error_code{});
  EXPECT_EQ(skipped("a", Skip::drained), 2U);
  EXPECT_EQ(stats_of("a").lag, stats_of("a").in_flight);
}

TEST_F(ConsumerTest, ReadsWhatADrainPutsBackUnlessItHadItBefore) {
  spawn_with(WhenFull::backpressure, {{"a"}});
  for (std::uint64_t i = 0; i < 4; ++i) {
    send_run(i);
  }
  Consumer a = consume("a");
  const Batches first = next(a, 1);
  Drained lent = call(aggregator_->drain({.max_frames = 2, .lend = true})).value();
  acknowledge(a, first);
  acknowledge(a, next(a));
  EXPECT_EQ(call(aggregator_->put_back(std::move(lent))), error_code{});
  EXPECT_EQ(stats().ledger.delivered, 3U) << "the first has been acknowledged meanwhile";
  EXPECT_EQ(sequences_in(next(a)), numbers(1, 1));
}

TEST_F(ConsumerTest, ReadsWhatALeaseGivesBack) {
  spawn_with(WhenFull::backpressure, {{"a"}});
  send_run(0, 4);
  Consumer a = consume("a");
  const Leased leased =
      call(aggregator_->lease({.max_frames = all_frames, .duration = 1h})).value();
  auto waiting = testing::start(context_, a.next(1'000));
  EXPECT_FALSE(testing::is_ready(waiting));
  EXPECT_EQ(call(aggregator_->release(leased.id.value())).value().frames, 4U);
  testing::poll(context_);
  EXPECT_EQ(sequences_in(waiting.get().value()), numbers(0, 4));
}

TEST_F(ConsumerTest, SkipsWhatALeaseHasCommitted) {
  spawn_with(WhenFull::backpressure, {{"a"}});
  send_run(0, 4);
  const Leased leased =
      call(aggregator_->lease({.max_frames = all_frames, .duration = 1h})).value();
  EXPECT_EQ(call(aggregator_->commit(leased.id.value())).value().frames, 4U);
  EXPECT_EQ(skipped("a", Skip::drained), 4U);
  EXPECT_EQ(stats_of("a").lag, Depth{});
}

TEST_F(ConsumerTest, SkipsWhatIsFlushed) {
  spawn_with(WhenFull::backpressure, {{"a"}}, 3);
  for (std::uint64_t i = 0; i < 5; ++i) {
    send_run(i);  // two of them wait in the channel
  }
  EXPECT_EQ(call(aggregator_->flush()).value(), 5U);
  EXPECT_EQ(skipped("a", Skip::flushed), 3U);
  EXPECT_EQ(stats_of("a").lag, Depth{});
}

TEST_F(ConsumerTest, TellsHowOldTheOldestIs) {
  spawn_with(WhenFull::backpressure, {{"a"}});
  EXPECT_EQ(stats_of("a").oldest, std::nullopt);
  const ReceiveTime long_ago{1'000'000us};
  send(batch_of_run({1, 1}, 0, 1, large, {.received_at = long_ago}));
  send(batch_of_run({1, 1}, 1, 1, large, {.received_at = long_ago + 1us}));
  EXPECT_EQ(stats_of("a").oldest, long_ago);
  Consumer a = consume("a");
  const Batches first = next(a, 1);
  EXPECT_EQ(stats_of("a").oldest, long_ago) << "it is in flight";
  acknowledge(a, first);
  EXPECT_EQ(stats_of("a").oldest, long_ago + 1us);
}

TEST_F(ConsumerTest, ReadsAgainWhatNobodyWaitedForAnyMore) {
  spawn_with(WhenFull::backpressure, {{"a"}});
  Consumer a = consume("a");
  asio::cancellation_signal cancel;
  auto cancelled = asio::co_spawn(context_, a.next(1'000),
                                  asio::bind_cancellation_slot(cancel.slot(), asio::use_future));
  testing::poll(context_);
  cancel.emit(asio::cancellation_type::terminal);
  testing::poll(context_);
  EXPECT_EQ(cancelled.get().error(), asio::error::operation_aborted);
  send_run(0, 2);
  EXPECT_EQ(sequences_in(next(a)), numbers(0, 2));
}

class ConsumerRestart : public ConsumerTest {
 protected:
  void restart(const std::vector<ConsumerOptions>& consumers) {
    SavedState saved = call(aggregator_->shut_down()).value().saved;
    spawn_with(WhenFull::backpressure, consumers);
    EXPECT_TRUE(call(aggregator_->restore(std::move(saved))).has_value());
  }
};

TEST_F(ConsumerRestart, GoesOnWhereItWas) {
  spawn_with(WhenFull::backpressure, {{"a"}, {"b"}});
  for (std::uint64_t i = 0; i < 5; ++i) {
    send_run(i);
  }
  const std::uint64_t epoch = consume("a").epoch();
  {
    Consumer a = consume("a");
    acknowledge(a, next(a, 1));
    const Batches attempted = next(a, 1);
    const Batches forgotten = next(a, 1);
    const Attempt attempt{.origin = {1, 1}, .ranges = places_of(attempted), .frames = 1};
    EXPECT_EQ(call(a.suspend({attempt})), error_code{});
  }
  restart({{"a"}, {"b"}});
  Consumer a = consume("a");
  EXPECT_EQ(a.epoch(), epoch);
  const Resumed resumed = call(a.resume()).value();
  ASSERT_EQ(resumed.attempts.size(), 1U);
  EXPECT_EQ(resumed.attempts[0].ranges, places_of(resumed.batches));
  EXPECT_EQ(sequences_in(resumed.batches), numbers(1, 1));
  EXPECT_EQ(stats_of("a").lag.frames, 4U);
  EXPECT_EQ(stats_of("a").in_flight.frames, 1U);
  EXPECT_EQ(sequences_in(next(a)), numbers(2, 3));
  send_run(5);
  EXPECT_EQ(sequences_in(next(a)), numbers(5, 1));
  Consumer b = consume("b");
  EXPECT_EQ(sequences_in(next(b)), numbers(0, 6));
  EXPECT_THAT(call(b.resume()).value().attempts, IsEmpty());
}

TEST_F(ConsumerRestart, ReadsAgainWhatItHadInFlightWithoutAWord) {
  spawn_with(WhenFull::backpressure, {{"a"}});
  send_run(0, 2);
  {
    Consumer a = consume("a");
    std::ignore = next(a);
  }
  restart({{"a"}});
  Consumer a = consume("a");
  EXPECT_EQ(sequences_in(next(a)), numbers(0, 2));
}

TEST_F(ConsumerRestart, FramesThatOnlyARemovedConsumerNeededLeave) {
  spawn_with(WhenFull::backpressure, {{"a"}, {"b"}});
  send_run(0);
  send_run(1);
  Consumer a = consume("a");
  acknowledge(a, next(a, 1));
  EXPECT_EQ(call(a.suspend({})), error_code{});
  restart({{"a"}});
  EXPECT_EQ(stats().ledger.delivered, 1U);
  EXPECT_EQ(stats().ledger.buffered, 1U);
}

TEST_F(ConsumerRestart, ANewOneBeginsWithWhatIsThere) {
  spawn_with(WhenFull::backpressure, {{"a"}});
  send_run(0);
  restart({{"a"}, {"new"}});
  Consumer added = consume("new");
  EXPECT_EQ(sequences_in(next(added)), numbers(0, 1));
}

struct Mix {
  const char* name;
  WhenFull when_full;
  std::vector<ConsumerOptions> consumers;
};

/// Consumers, drains, leases and flushes at random. What a consumer has acknowledged and what it
/// has skipped are all frames, none twice.
class ConsumersAtRandom : public ConsumerTest, public ::testing::WithParamInterface<Mix> {
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

  void read(Reader& reader) {
    const ConsumerStats before = stats_of(reader.name);
    if (before.lag.frames == before.in_flight.frames || reader.in_flight.size() > 8) {
      return;
    }
    auto started = testing::start(context_, reader.consumer.next(up_to(20'000)));
    while (!testing::is_ready(started)) {
      // All that it has not read is lent. It comes back, or something new comes.
      settle_all();
      testing::poll(context_);
      if (!testing::is_ready(started)) {
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
    auto sent = testing::start(
        context_, aggregator_->send(batch_of_run({1, 1}, next_, count, up_to(1) * large)));
    while (!testing::is_ready(sent)) {  // backpressure
      settle_all();
      for (Reader& reader : readers_) {
        acknowledge(reader.consumer, std::exchange(reader.in_flight, {}));
        read(reader);
      }
      testing::poll(context_);
    }
    EXPECT_EQ(sent.get(), error_code{});
    next_ += count;
  }

  void drain_some() {
    Drained drained = call(aggregator_->drain({.max_frames = 1 + up_to(9), .lend = true})).value();
    lent_.push_back(std::move(drained));
  }

  void settle_all() {
    for (Drained& drained : std::exchange(lent_, {})) {
      // What comes back may be refused, and would be counted as such and as skipped.
      if (GetParam().when_full == WhenFull::drop_newest || up_to(1) == 0) {
        EXPECT_EQ(call(aggregator_->settle(drained)), error_code{});
      } else {
        EXPECT_EQ(call(aggregator_->put_back(std::move(drained))), error_code{});
      }
    }
  }

  std::mt19937_64 random_{2026};
  std::uint64_t next_ = 0;
  std::vector<Drained> lent_;
  std::vector<Reader> readers_;
};

TEST_P(ConsumersAtRandom, EachHasEveryFrameOnceOrItIsCounted) {
  spawn_with(GetParam().when_full, GetParam().consumers, 60);
  for (const ConsumerOptions& each : GetParam().consumers) {
    readers_.push_back({each.name, consume(each.name)});
  }
  for (int step = 0; step < 2'500; ++step) {
    switch (up_to(12)) {
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
  // What one acknowledges may let in more for all of them.
  while (std::ranges::any_of(stats().consumers,
                             [](const ConsumerStats& each) { return each.lag != Depth{}; })) {
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
    ::testing::Values(
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
}  // namespace meridian
