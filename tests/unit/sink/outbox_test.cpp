// Which message goes next, and what is done: all of it without a server and without a clock.
#include "sink/outbox.hpp"

#include "unit/frame/frame_samples.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
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
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::size_t frame_bytes = frame_header_bytes + 80;
constexpr Outbox::Clock::time_point now{};

BufferedBatch run_at(std::uint64_t place, Origin origin, std::uint64_t first, std::uint32_t count) {
  return {place, batch_of_run(origin, first, count, 80)};
}

/// Frames whose satellites are those given, in this order; sequences count up per satellite.
BufferedBatch mixed_at(std::uint64_t place, const std::vector<SatelliteId>& satellites,
                       std::map<SatelliteId, std::uint64_t>& next) {
  FrameBatchBuilder builder;
  for (const SatelliteId satellite : satellites) {
    builder.append(test::header(satellite, 1, next[satellite]++), test::sample_payload(80));
  }
  return {place, builder.finish({}).value()};
}

std::vector<std::uint64_t> sequences_of(const Message& message) {
  std::vector<std::uint64_t> sequences;
  for (const FrameBatch& part : message.parts) {
    for (const FrameView frame : part) {
      sequences.push_back(frame.header.sequence);
    }
  }
  return sequences;
}

class OutboxTest : public testing::Test {
 protected:
  Outbox make(std::size_t in_flight = 1'000'000, std::size_t message = 100 * frame_bytes,
              std::uint64_t epoch = 0xE) {
    return {"archive", epoch, {.max_in_flight_bytes = in_flight, .max_message_bytes = message}};
  }
  /// As after a start.
  Outbox make_next(std::uint64_t epoch) { return make(1'000'000, 100 * frame_bytes, epoch); }
};

TEST_F(OutboxTest, GivesOneMessageOfAnOriginAtATime) {
  Outbox outbox = make();
  outbox.add(run_at(1, {7, 1}, 0, 3));
  outbox.add(run_at(4, {8, 1}, 0, 1));
  const auto first = outbox.next(now).value();
  EXPECT_EQ(first.message->origin, (Origin{7, 1}));
  EXPECT_THAT(sequences_of(*first.message), ElementsAre(0, 1, 2));
  EXPECT_EQ(first.tries, 1U);
  outbox.add(run_at(5, {7, 1}, 3, 1));
  outbox.add(run_at(6, {7, 1}, 4, 2));
  const auto other = outbox.next(now).value();
  EXPECT_EQ(other.message->origin, (Origin{8, 1}));
  EXPECT_FALSE(outbox.next(now).has_value()) << "the next of 7 waits for the first";
  EXPECT_EQ(outbox.in_flight_messages(), 2U);

  EXPECT_THAT(outbox.acknowledged(first.ticket), ElementsAre(PlaceRange{1, 3}));
  const auto second = outbox.next(now).value();
  EXPECT_THAT(sequences_of(*second.message), ElementsAre(3, 4, 5)) << "what waited goes together";
  EXPECT_THAT(outbox.acknowledged(second.ticket), ElementsAre(PlaceRange{5, 1}, PlaceRange{6, 2}));
  EXPECT_THAT(outbox.acknowledged(other.ticket), ElementsAre(PlaceRange{4, 1}));
  EXPECT_FALSE(outbox.next(now).has_value());
  EXPECT_THAT(outbox.attempts(), IsEmpty());
}

TEST_F(OutboxTest, CutsMessagesAtTheirBound) {
  Outbox outbox = make(1'000'000, 2 * frame_bytes);
  outbox.add(run_at(1, {7, 1}, 0, 5));
  std::vector<std::size_t> frames;
  std::set<std::string> ids;
  std::vector<PlaceRange> done;
  while (const auto next = outbox.next(now)) {
    frames.push_back(next->message->frames);
    ids.insert(next->message->id);
    done = outbox.acknowledged(next->ticket);
    EXPECT_EQ(done.empty(), frames.size() < 3) << "the batch is done with its last message";
  }
  EXPECT_THAT(frames, ElementsAre(2, 2, 1));
  EXPECT_EQ(ids.size(), 3U);
}

TEST_F(OutboxTest, FrameThatIsLargerThanAMessageGoesAlone) {
  Outbox outbox = make(10, 10);
  outbox.add(run_at(1, {7, 1}, 0, 2));
  EXPECT_EQ(outbox.next(now)->message->frames, 1U) << "also where it is more than may be in flight";
}

TEST_F(OutboxTest, DividesABatchOfSeveralOrigins) {
  Outbox outbox = make();
  std::map<SatelliteId, std::uint64_t> sequences;
  outbox.add(mixed_at(1, {7, 8, 7, 9, 8}, sequences));
  std::vector<std::vector<std::uint64_t>> messages;
  std::vector<Ticket> tickets;
  while (const auto next = outbox.next(now)) {
    messages.push_back(sequences_of(*next->message));
    tickets.push_back(next->ticket);
  }
  EXPECT_THAT(messages, ElementsAre(ElementsAre(0, 1), ElementsAre(0, 1), ElementsAre(0)));
  EXPECT_THAT(outbox.acknowledged(tickets[1]), IsEmpty());
  EXPECT_THAT(outbox.acknowledged(tickets[0]), IsEmpty());
  EXPECT_THAT(outbox.acknowledged(tickets[2]), ElementsAre(PlaceRange{1, 5}));
}

TEST_F(OutboxTest, BoundsWhatIsInFlightAndWhatIsRead) {
  Outbox outbox = make(4 * frame_bytes, 4 * frame_bytes);
  EXPECT_EQ(outbox.room(), 8 * frame_bytes);
  for (SatelliteId satellite = 1; satellite <= 4; ++satellite) {
    outbox.add(run_at(satellite * 10, {satellite, 1}, 0, 2));
  }
  EXPECT_EQ(outbox.room(), 0U);
  const auto first = outbox.next(now).value();
  std::ignore = outbox.next(now).value();
  EXPECT_FALSE(outbox.next(now).has_value());
  EXPECT_EQ(outbox.in_flight_bytes(), 4 * frame_bytes);
  std::ignore = outbox.acknowledged(first.ticket);
  EXPECT_EQ(outbox.room(), 2 * frame_bytes);
  EXPECT_TRUE(outbox.next(now).has_value());
}

TEST_F(OutboxTest, TriesTheSameMessageAgainAfterItsPause) {
  Outbox outbox = make();
  outbox.add(run_at(1, {7, 1}, 0, 3));
  const auto first = outbox.next(now).value();
  const std::string id = first.message->id;
  outbox.add(run_at(4, {7, 1}, 3, 3));
  outbox.refused(first.ticket, now + 1s, Outbox::Fate::unknown);
  EXPECT_EQ(outbox.next_retry(), now + 1s);
  EXPECT_FALSE(outbox.next(now + 999ms).has_value());
  const auto again = outbox.next(now + 1s).value();
  EXPECT_EQ(again.tries, 2U);
  EXPECT_NE(again.ticket, first.ticket);
  EXPECT_EQ(again.message->id, id);
  EXPECT_THAT(sequences_of(*again.message), ElementsAre(0, 1, 2)) << "and nothing that came since";
  EXPECT_EQ(outbox.next_retry(), std::nullopt);
}

TEST_F(OutboxTest, KnowsWhetherWhatWasRefusedHasArrived) {
  Outbox outbox = make();
  outbox.add(run_at(1, {7, 1}, 0, 1));
  outbox.add(run_at(2, {8, 1}, 0, 1));
  const auto first = outbox.next(now).value();
  const auto second = outbox.next(now).value();
  EXPECT_FALSE(outbox.anything_refused());
  outbox.refused(first.ticket, now, Outbox::Fate::unknown);
  std::ignore = outbox.acknowledged(second.ticket);
  EXPECT_TRUE(outbox.anything_refused());
  const auto again = outbox.next(now).value();
  EXPECT_TRUE(outbox.anything_refused()) << "it is on its way only";
  outbox.refused(again.ticket, now, Outbox::Fate::unknown);
  std::ignore = outbox.acknowledged(outbox.next(now)->ticket);
  EXPECT_FALSE(outbox.anything_refused());
}

TEST_F(OutboxTest, FramesStayRefusedUntilTheLastOfThemHasArrivedInSmallerMessages) {
  Outbox outbox = make();
  outbox.add(run_at(1, {7, 1}, 0, 4));
  outbox.refused_as_too_large(outbox.next(now)->ticket, now);
  std::ignore = outbox.acknowledged(outbox.next(now)->ticket);
  EXPECT_TRUE(outbox.anything_refused());
  std::ignore = outbox.acknowledged(outbox.next(now)->ticket);
  EXPECT_FALSE(outbox.anything_refused());
}

TEST_F(OutboxTest, OtherFramesHaveAnotherIdThoughTheyBeginAtTheSamePlaceAndAreAsMany) {
  Outbox all = make(1'000'000, 3 * frame_bytes);
  all.add(run_at(1, {7, 1}, 0, 1));
  all.add(run_at(2, {7, 1}, 1, 1));
  Outbox without_the_middle = make(1'000'000, 3 * frame_bytes);
  without_the_middle.add(run_at(1, {7, 1}, 0, 1));
  without_the_middle.add(run_at(3, {7, 1}, 2, 1));
  EXPECT_NE(all.next(now)->message->id, without_the_middle.next(now)->message->id);
}

TEST_F(OutboxTest, TriesAtOnceWhereItIsTold) {
  Outbox outbox = make();
  outbox.add(run_at(1, {7, 1}, 0, 3));
  outbox.refused(outbox.next(now)->ticket, now + 1h, Outbox::Fate::unknown);
  outbox.retry_now();
  EXPECT_TRUE(outbox.next(now).has_value());
}

TEST_F(OutboxTest, CutsWhatIsTooLargeUntilItIsNot) {
  Outbox outbox = make();
  outbox.add(run_at(1, {7, 1}, 0, 8));
  outbox.add(run_at(9, {7, 1}, 8, 1));
  std::vector<std::uint64_t> stored;
  std::vector<PlaceRange> done;
  while (const auto next = outbox.next(now)) {
    if (next->message->frames > 2) {
      outbox.refused_as_too_large(next->ticket, now);
      continue;
    }
    std::ranges::copy(sequences_of(*next->message), std::back_inserter(stored));
    std::ranges::copy(outbox.acknowledged(next->ticket), std::back_inserter(done));
  }
  EXPECT_THAT(stored, ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8));
  EXPECT_THAT(done, ElementsAre(PlaceRange{1, 8}, PlaceRange{9, 1}));
}

TEST_F(OutboxTest, SingleFrameThatIsTooLargeStays) {
  Outbox outbox = make();
  outbox.add(run_at(1, {7, 1}, 0, 1));
  const std::string id = outbox.next(now)->message->id;
  outbox.refused_as_too_large(1, now + 1s);
  EXPECT_EQ(outbox.next(now + 1s)->message->id, id);
}

TEST_F(OutboxTest, UntouchedBatchesAreNoAttempts) {
  Outbox outbox = make();
  outbox.add(run_at(1, {7, 1}, 0, 3));
  EXPECT_THAT(outbox.attempts(), IsEmpty());
  outbox.refused(outbox.next(now)->ticket, now, Outbox::Fate::unknown);
  outbox.add(run_at(4, {7, 1}, 3, 3));
  EXPECT_THAT(outbox.attempts(), ElementsAre(Attempt{{7, 1}, {{1, 3}}, 3, 0xE}))
      << "what was refused may be stored";
}

/// An outbox that has had the places from 1 on, and what takes up what it had not delivered.
Resumed resumed_from(const Outbox& before, std::vector<BufferedBatch> batches) {
  return {.attempts = before.attempts(), .batches = std::move(batches)};
}

std::vector<BufferedBatch> one_batch(BufferedBatch batch) {
  std::vector<BufferedBatch> batches;
  batches.push_back(std::move(batch));
  return batches;
}

TEST_F(OutboxTest, OtherFramesHaveOtherIdsWhereAStateIsTakenUpTwice) {
  const Outbox before = make();
  std::set<std::string> ids;
  for (const std::uint64_t epoch : {0xAU, 0xBU}) {
    Outbox outbox = make_next(epoch);
    std::ignore = outbox.resume(resumed_from(before, {}));
    outbox.add(run_at(1, {7, 1}, 100 * epoch, 3));
    ids.insert(outbox.next(now)->message->id);
  }
  EXPECT_EQ(ids.size(), 2U);
}

TEST_F(OutboxTest, WhatWasTriedKeepsItsIdOverAnyNumberOfRestarts) {
  Outbox before = make();
  before.add(run_at(1, {7, 1}, 0, 3));
  const std::string id = before.next(now)->message->id;
  Outbox second = make_next(0xA);
  std::ignore = second.resume(resumed_from(before, one_batch(run_at(1, {7, 1}, 0, 3))));
  Outbox third = make_next(0xB);  // the second was stopped before it could try
  std::ignore = third.resume(resumed_from(second, one_batch(run_at(1, {7, 1}, 0, 3))));
  const auto again = third.next(now).value();
  EXPECT_EQ(again.message->id, id);
  EXPECT_TRUE(again.may_be_stored);
  EXPECT_GT(again.tries, 1U);
}

TEST_F(OutboxTest, WhatWasNotTriedGetsAnIdOfTheNextEpoch) {
  Outbox before = make(2 * frame_bytes, 2 * frame_bytes);
  before.add(run_at(1, {7, 1}, 0, 4));
  std::ignore = before.acknowledged(before.next(now)->ticket);
  ASSERT_THAT(before.attempts(), ElementsAre(Attempt{{7, 1}, {{3, 2}}, 2, 0}));
  Outbox outbox = make_next(0xA);
  std::ignore = outbox.resume(resumed_from(before, one_batch(run_at(1, {7, 1}, 0, 4))));
  const auto next = outbox.next(now).value();
  EXPECT_THAT(sequences_of(*next.message), ElementsAre(2, 3));
  EXPECT_EQ(next.tries, 1U);
  EXPECT_FALSE(next.may_be_stored);
  EXPECT_THAT(outbox.attempts(), ElementsAre(Attempt{{7, 1}, {{3, 2}}, 2, 0xA}));
}

TEST_F(OutboxTest, MayBeStoredOnceAnAnswerWasLost) {
  Outbox outbox = make();
  outbox.add(run_at(1, {7, 1}, 0, 1));
  outbox.refused(outbox.next(now)->ticket, now, Outbox::Fate::not_stored);
  const auto second = outbox.next(now).value();
  EXPECT_FALSE(second.may_be_stored);
  outbox.refused(second.ticket, now, Outbox::Fate::unknown);
  const auto third = outbox.next(now).value();
  EXPECT_TRUE(third.may_be_stored);
  outbox.refused(third.ticket, now, Outbox::Fate::not_stored);
  EXPECT_TRUE(outbox.next(now)->may_be_stored) << "that was about the third try alone";
}

TEST_F(OutboxTest, AMessageThatIsRenamedIsTriedForTheFirstTimeAndKeepsItsNewIdOverARestart) {
  Outbox outbox = make();
  outbox.add(run_at(1, {7, 1}, 0, 2));
  const auto first = outbox.next(now).value();
  const std::string id = first.message->id;
  outbox.doubt(first.ticket, 17);
  outbox.refused(first.ticket, now, Outbox::Fate::unknown);
  const auto doubted = outbox.next(now).value();
  EXPECT_EQ(doubted.said_to_be_at, 17U);
  EXPECT_EQ(doubted.message->id, id) << "until it was looked for";
  outbox.rename(doubted.ticket, 0xC);
  const std::string renamed = outbox.message_of(doubted.ticket).id;
  EXPECT_NE(renamed, id);
  EXPECT_EQ(outbox.tries_of(doubted.ticket), 1U);
  EXPECT_FALSE(outbox.may_be_stored(doubted.ticket));
  outbox.refused(doubted.ticket, now, Outbox::Fate::unknown);

  Outbox after = make_next(0xD);
  std::ignore = after.resume(resumed_from(outbox, one_batch(run_at(1, {7, 1}, 0, 2))));
  const auto again = after.next(now).value();
  EXPECT_EQ(again.message->id, renamed);
  EXPECT_EQ(again.said_to_be_at, std::nullopt);
  EXPECT_THAT(after.acknowledged(again.ticket), ElementsAre(PlaceRange{1, 2}));
}

TEST_F(OutboxTest, TakesUpTheRestOfAMessageWhoseBeginningWasDrained) {
  Outbox before = make(1'000'000, 4 * frame_bytes);
  before.add(run_at(1, {7, 1}, 0, 6));
  before.add(run_at(7, {7, 1}, 6, 2));
  std::ignore = before.acknowledged(before.next(now)->ticket);
  EXPECT_THAT(sequences_of(*before.next(now)->message), ElementsAre(4, 5, 6, 7));

  Resumed resumed{.attempts = before.attempts(), .batches = {}};
  resumed.batches.push_back(run_at(7, {7, 1}, 6, 2));
  Outbox outbox = make(1'000'000, 4 * frame_bytes);
  EXPECT_THAT(outbox.resume(resumed), IsEmpty());
  EXPECT_THAT(sequences_of(*outbox.next(now)->message), ElementsAre(6, 7));
}

/// A stream that keeps a message of each id, and loses some answers; an outbox that is put away and
/// taken up again at random moments, in batches that are cut otherwise.
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
    Outbox outbox = make(20 * frame_bytes, 6 * frame_bytes, ++epoch_);
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
  Outbox outbox = make(20 * frame_bytes, 6 * frame_bytes);
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
    Outbox outbox = make(20 * frame_bytes, 6 * frame_bytes);
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
