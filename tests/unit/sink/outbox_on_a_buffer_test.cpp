// What a sink reads from a real buffer, cuts into messages and takes up after restarts, while
// others drain and lease the same frames.
#include "aggregator/maintenance.hpp"
#include "sink/outbox.hpp"
#include "unit/aggregator/consumer_fixture.hpp"
#include "unit/frame/frame_samples.hpp"
#include "unit/state/saved_samples.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace meridian::test {

using namespace sink;

namespace {

using namespace std::chrono_literals;
using Frames = std::set<std::pair<SatelliteId, std::uint64_t>>;

constexpr Outbox::Clock::time_point start{};
constexpr std::size_t bytes_per_frame = frame_header_bytes + 80;

void note(const FrameBatch& batch, Frames& frames) {
  for (const FrameView frame : batch) {
    frames.emplace(frame.header.origin.satellite_id, frame.header.sequence);
  }
}

/// A stream that keeps a message of each id, and loses some answers.
class OutboxOnABuffer : public test::ConsumerTest {
 protected:
  void SetUp() override {
    spawn_with(WhenFull::backpressure, {{"archive"}}, 100'000);
    begin();
  }

  void begin() {
    consumer_.emplace(consume("archive"));
    const Resumed resumed = call(consumer_->resume()).value();
    outbox_.emplace("archive", consumer_->epoch(),
                    Outbox::Limits{.max_in_flight_bytes = 20 * bytes_per_frame,
                                   .max_message_bytes = 6 * bytes_per_frame});
    acknowledge_places(outbox_->resume(resumed));
  }

  void restart() {
    EXPECT_EQ(call(consumer_->suspend(outbox_->attempts())), error_code{});
    consumer_.reset();
    in_flight_.clear();
    const SavedState saved = call(aggregator_->shut_down()).value().saved;
    spawn_with(WhenFull::backpressure, {{"archive"}}, 100'000);
    state::Restored restored = test::read_back(test::written(saved));
    EXPECT_TRUE(restored.is_whole);
    EXPECT_TRUE(
        call(aggregator::Maintenance(*aggregator_).restore(std::move(restored.saved))).has_value());
    begin();
  }

  std::uint64_t up_to(std::uint64_t most) {
    return std::uniform_int_distribution<std::uint64_t>(0, most)(random_);
  }

  void send_mixed() {
    FrameBatchBuilder builder;
    for (std::uint64_t left = 1 + up_to(12); left > 0; --left) {
      const auto satellite = static_cast<SatelliteId>(up_to(2));
      builder.append(test::header(satellite, 1, sent_[satellite]++), test::sample_payload(80));
    }
    send(builder.finish(test::stamp_at(1)).value());
  }

  void read_some() {
    const ConsumerStats stats = stats_of("archive");
    if (outbox_->room() == 0 || stats.unread == Amount{}) {
      return;
    }
    auto reading = test::start(context_, consumer_->next(outbox_->room()));
    test::poll(context_);
    while (!test::is_ready(reading)) {
      send_mixed();  // what there was is lent
    }
    for (const BufferedBatch& batch : reading.get().value()) {
      outbox_->add(batch);
    }
  }

  void publish_one() {
    const auto next = outbox_->next(start);
    if (!next) {
      return;
    }
    if (up_to(3) > 0) {
      store(*next->message);  // or it is lost on its way
    }
    in_flight_.emplace_back(next->ticket, next->message->id);
  }

  void store(const Message& message) {
    if (!ids_.insert(message.id).second) {
      return;
    }
    for (const FrameBatch& part : message.parts) {
      for (const FrameView frame : part) {
        const auto [satellite, channel] = frame.header.origin;
        in_order_ &= stored_in_order_[satellite]++ == frame.header.sequence;
        twice_ += stored_.emplace(satellite, frame.header.sequence).second ? 0 : 1;
      }
    }
  }

  void hear_of_one() {
    if (in_flight_.empty()) {
      return;
    }
    std::swap(in_flight_[up_to(in_flight_.size() - 1)], in_flight_.back());
    const auto [ticket, id] = in_flight_.back();
    in_flight_.pop_back();
    if (ids_.contains(id) && up_to(3) > 0) {
      acknowledge_places(outbox_->acknowledged(ticket));
    } else {
      outbox_->refused(ticket, start, Outbox::Fate::unknown);
    }
  }

  void acknowledge_places(std::vector<PlaceRange> done) {
    EXPECT_EQ(call(consumer_->acknowledge(std::move(done))), error_code{});
  }

  /// What happens mostly.
  void flow() {
    if (up_to(3) == 0) {
      send_mixed();
    }
    read_some();
    publish_one();
    hear_of_one();
  }

  std::optional<SatelliteId> any_satellite() {
    const std::uint64_t chosen = up_to(3);
    return chosen < 3 ? std::optional(static_cast<SatelliteId>(chosen)) : std::nullopt;
  }

  void drain_some() {
    lent_.push_back(
        call(aggregator_->lend({.max_frames = 1 + up_to(9), .satellite_id = any_satellite()}))
            .value());
  }

  void end_drains() {
    for (Lent& lent : std::exchange(lent_, {})) {
      if (up_to(1) == 0) {
        for (const BufferedBatch& buffered : lent.frames().batches) {
          note(buffered.batch, drained_);
        }
        EXPECT_EQ(call(std::move(lent).settle()), error_code{});
      } else {
        EXPECT_EQ(call(std::move(lent).put_back()), error_code{});
      }
    }
  }

  /// It is committed, released, or left to the stop.
  void lease_some() {
    const Leased leased =
        call(aggregator_->lease(
                 {.max_frames = 1 + up_to(9), .satellite_id = any_satellite(), .duration = 1h}))
            .value();
    if (!leased.id) {
      return;
    }
    const std::uint64_t how = up_to(2);
    if (how == 0) {
      for (const BufferedBatch& buffered : leased.frames.batches) {
        note(buffered.batch, drained_);
      }
      EXPECT_TRUE(call(aggregator_->commit(*leased.id)).has_value());
    } else if (how == 1) {
      EXPECT_TRUE(call(aggregator_->release(*leased.id)).has_value());
    }
  }

  void deliver_all() {
    end_drains();
    restart();  // ends the leases
    while (stats_of("archive").lag.frames > 0) {
      read_some();
      while (const auto next = outbox_->next(start)) {
        store(*next->message);
        acknowledge_places(outbox_->acknowledged(next->ticket));
      }
    }
  }

  void expect_all_stored_or_drained() {
    for (const auto& [satellite, count] : sent_) {
      for (std::uint64_t sequence = 0; sequence < count; ++sequence) {
        EXPECT_TRUE(stored_.contains({satellite, sequence}) ||
                    drained_.contains({satellite, sequence}))
            << "missing: " << satellite << ", " << sequence;
      }
    }
    EXPECT_EQ(stats().ledger.buffered, 0U);
  }

  std::mt19937_64 random_{2027};
  std::optional<Consumer> consumer_;
  std::optional<Outbox> outbox_;
  std::vector<std::pair<Ticket, std::string>> in_flight_;
  std::set<std::string> ids_;
  std::map<SatelliteId, std::uint64_t> sent_;
  std::map<SatelliteId, std::uint64_t> stored_in_order_;
  Frames stored_;
  Frames drained_;
  std::vector<Lent> lent_;
  std::uint64_t twice_ = 0;
  bool in_order_ = true;
};

TEST_F(OutboxOnABuffer, StoresFramesOnceInOrderOverRestarts) {
  for (int step = 0; step < 6'000 && !HasFailure(); ++step) {
    SCOPED_TRACE(step);
    if (up_to(40) == 0) {
      restart();
    }
    flow();
  }
  deliver_all();
  expect_all_stored_or_drained();
  EXPECT_EQ(twice_, 0U);
  EXPECT_TRUE(in_order_);
  EXPECT_GT(stored_.size(), 5'000U);
}

TEST_F(OutboxOnABuffer, MissesNothingThatOthersDoNotHave) {
  for (int step = 0; step < 6'000 && !HasFailure(); ++step) {
    SCOPED_TRACE(step);
    switch (up_to(40)) {
      case 0:
        end_drains();  // clients go before the aggregator does
        restart();
        break;
      case 1:
        drain_some();
        break;
      case 2:
        lease_some();
        break;
      case 3:
        end_drains();
        break;
      default:
        flow();
        break;
    }
  }
  deliver_all();
  expect_all_stored_or_drained();
  EXPECT_GT(drained_.size(), 300U);
}

}  // namespace
}  // namespace meridian::test
