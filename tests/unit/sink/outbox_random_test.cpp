// Outboxes over many refusals, restarts and drains, at random.
#include "unit/sink/outbox_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace meridian::test {

using namespace sink;

namespace {

using testing::IsEmpty;

class OutboxAtRandom : public OutboxTest {
 protected:
  std::uint64_t up_to(std::uint64_t most) {
    return std::uniform_int_distribution<std::uint64_t>(0, most)(random_);
  }

  void store(const Message& message) {
    if (!ids_.insert(message.id).second) {
      return;
    }
    for (const FrameBatch& part : message.parts) {
      for (const FrameView frame : part) {
        EXPECT_EQ(frame.header.origin, message.origin);
        EXPECT_EQ(frame.header.sequence, stored_[message.origin.satellite_id]++)
            << "out of order, or twice";
      }
    }
  }

  void read_more(Outbox& outbox) {
    if (outbox.room() == 0) {
      return;
    }
    std::vector<SatelliteId> satellites(1 + up_to(12));
    for (SatelliteId& satellite : satellites) {
      satellite = static_cast<SatelliteId>(up_to(2));
    }
    BufferedBatch batch = mixed_at(next_place_, satellites, sent_);
    next_place_ = batch.places().end();
    outbox.add(batch);
    buffer_.emplace(batch.place, std::move(batch.batch));
  }

  void finish(const std::vector<PlaceRange>& done) {
    for (const PlaceRange& range : done) {
      auto batch = buffer_.find(range.first);
      ASSERT_NE(batch, buffer_.end());
      EXPECT_EQ(batch->second.frames(), range.frames);
      buffer_.erase(batch);
    }
  }

  /// As a restart does: what was read and not attempted is read again.
  Outbox restart(const Outbox& before) {
    Resumed resumed{.attempts = before.attempts(), .batches = {}};
    std::vector<BufferedBatch> unread;
    std::map<std::uint64_t, FrameBatch> buffer;
    for (auto& [place, batch] : buffer_) {
      const PlaceRange places{place, batch.frames()};
      const bool attempted = std::ranges::any_of(resumed.attempts, [&](const Attempt& attempt) {
        return std::ranges::any_of(attempt.ranges, [&](const PlaceRange& range) {
          return range.first < places.end() && places.first < range.end();
        });
      });
      // A saved state may cut batches.
      std::uint64_t at = place;
      while (batch.frames() > 1 && up_to(3) == 0) {
        FrameBatch front =
            batch.split_front(1 + static_cast<std::uint32_t>(up_to(batch.frames() - 2)));
        const std::uint64_t next = at + front.frames();
        (attempted ? resumed.batches : unread).push_back({at, front.share()});
        buffer.emplace(at, std::move(front));
        at = next;
      }
      (attempted ? resumed.batches : unread).push_back({at, batch.share()});
      buffer.emplace(at, std::move(batch));
    }
    buffer_ = std::move(buffer);
    Outbox outbox = make(20 * outbox_frame_bytes, 6 * outbox_frame_bytes, ++epoch_);
    finish(outbox.resume(resumed));
    for (const BufferedBatch& batch : unread) {
      outbox.add(batch);
    }
    return outbox;
  }

  std::mt19937_64 random_{7};
  std::uint64_t epoch_ = 0xE;
  std::uint64_t next_place_ = 1;
  std::map<SatelliteId, std::uint64_t> sent_;
  std::map<SatelliteId, std::uint64_t> stored_;
  std::set<std::string> ids_;
  std::map<std::uint64_t, FrameBatch> buffer_;
};

TEST_F(OutboxAtRandom, StoresEveryFrameOnceAndInOrder) {
  Outbox outbox = make(20 * outbox_frame_bytes, 6 * outbox_frame_bytes);
  std::vector<Ticket> in_flight;
  for (int step = 0; step < 30'000 && !HasFailure(); ++step) {
    SCOPED_TRACE(step);
    const bool ends = step >= 25'000;
    if (up_to(400) == 0) {
      outbox = restart(outbox);
      in_flight.clear();
    }
    if (up_to(3) == 0 && !ends) {
      read_more(outbox);
    }
    if (const auto next = outbox.next(now)) {
      if (up_to(3) > 0) {
        store(*next->message);  // or it is lost on its way
      }
      in_flight.push_back(next->ticket);
    }
    if (!in_flight.empty() && up_to(1) == 0) {
      const auto chosen =
          in_flight.begin() + static_cast<std::ptrdiff_t>(up_to(in_flight.size() - 1));
      const Ticket ticket = *chosen;
      in_flight.erase(chosen);
      const bool stored = ids_.contains(outbox.message_of(ticket).id);
      if (stored && up_to(3) > 0) {
        finish(outbox.acknowledged(ticket));
      } else if (!stored && up_to(9) == 0) {
        outbox.refused_as_too_large(ticket, now);
      } else {
        outbox.refused(ticket, now, Outbox::Fate::unknown);  // or its answer is lost
      }
    }
  }
  EXPECT_THAT(buffer_, IsEmpty());
  EXPECT_EQ(stored_, sent_);
  EXPECT_GT(sent_[0], 1'000U);
}

/// The same, while somebody drains before each restart: the leading frames of any batch, or all of
/// them. What went together then goes in parts, so that a frame may be stored twice; none may be
/// missing.
class OutboxBesideDrains : public OutboxAtRandom {
 protected:
  void drain() {
    std::map<std::uint64_t, FrameBatch> left;
    for (auto& [place, batch] : buffer_) {
      const auto taken = static_cast<std::uint32_t>(up_to(2) > 0 ? 0 : up_to(batch.frames()));
      if (taken == batch.frames()) {
        note(batch, drained_);
        continue;
      }
      if (taken > 0) {
        note(batch.split_front(taken), drained_);
      }
      left.emplace(place + taken, std::move(batch));
    }
    buffer_ = std::move(left);
  }

  using Frames = std::set<std::pair<SatelliteId, std::uint64_t>>;

  static void note(const FrameBatch& batch, Frames& frames) {
    for (const FrameView frame : batch) {
      frames.emplace(frame.header.origin.satellite_id, frame.header.sequence);
    }
  }

  Frames drained_;
  Frames arrived_;
};

TEST_F(OutboxBesideDrains, MissesNoFrameThatWasNotDrained) {
  for (int run = 0; run < 2'000 && !HasFailure(); ++run) {
    SCOPED_TRACE(run);
    Outbox outbox = make(20 * outbox_frame_bytes, 6 * outbox_frame_bytes);
    for (std::uint64_t batches = 1 + up_to(6); batches > 0; --batches) {
      read_more(outbox);
    }
    for (std::uint64_t messages = up_to(6); messages > 0; --messages) {
      const auto next = outbox.next(now);
      if (next && up_to(2) > 0) {
        std::ranges::for_each(next->message->parts,
                              [this](const FrameBatch& part) { note(part, arrived_); });
        finish(outbox.acknowledged(next->ticket));
      }
    }
    drain();
    outbox = restart(outbox);
    while (const auto next = outbox.next(now)) {
      std::ranges::for_each(next->message->parts,
                            [this](const FrameBatch& part) { note(part, arrived_); });
      finish(outbox.acknowledged(next->ticket));
    }
    EXPECT_THAT(buffer_, IsEmpty());
    for (const auto& [satellite, count] : sent_) {
      for (std::uint64_t sequence = 0; sequence < count; ++sequence) {
        EXPECT_TRUE(arrived_.contains({satellite, sequence}) ||
                    drained_.contains({satellite, sequence}))
            << satellite << ": " << sequence;
      }
    }
    sent_.clear();
    drained_.clear();
    arrived_.clear();
  }
}

}  // namespace
}  // namespace meridian::test
