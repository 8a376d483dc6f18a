// Which message of an outbox goes next, and what is done.
#include "unit/sink/outbox_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace meridian::test {

using namespace sink;

namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(OutboxTest, GivesOneMessagePerOriginAtATime) {
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
  Outbox outbox = make(1'000'000, 2 * outbox_frame_bytes);
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

TEST_F(OutboxTest, FrameLargerThanAMessageGoesAlone) {
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

TEST_F(OutboxTest, BoundsFramesInFlightAndFramesRead) {
  Outbox outbox = make(4 * outbox_frame_bytes, 4 * outbox_frame_bytes);
  EXPECT_EQ(outbox.room(), 8 * outbox_frame_bytes);
  for (SatelliteId satellite = 1; satellite <= 4; ++satellite) {
    outbox.add(run_at(satellite * 10, {satellite, 1}, 0, 2));
  }
  EXPECT_EQ(outbox.room(), 0U);
  const auto first = outbox.next(now).value();
  std::ignore = outbox.next(now).value();
  EXPECT_FALSE(outbox.next(now).has_value());
  EXPECT_EQ(outbox.in_flight_bytes(), 4 * outbox_frame_bytes);
  std::ignore = outbox.acknowledged(first.ticket);
  EXPECT_EQ(outbox.room(), 2 * outbox_frame_bytes);
  EXPECT_TRUE(outbox.next(now).has_value());
}

}  // namespace
}  // namespace meridian::test
