#include "status/uplink_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

namespace meridian::test {

using namespace status;

namespace {

using testing::ElementsAre;
using testing::IsEmpty;

ReceiveTime at(int time_s) {
  return ReceiveTime(std::chrono::seconds(time_s));
}

std::vector<SessionId> ids_of(const std::vector<std::shared_ptr<const UplinkRecord>>& records) {
  std::vector<SessionId> ids;
  for (const auto& record : records) {
    ids.push_back(record->id());
  }
  return ids;
}

std::vector<SessionId> ids_of(const std::vector<ClosedUplink>& uplinks) {
  std::vector<SessionId> ids;
  for (const ClosedUplink& uplink : uplinks) {
    ids.push_back(uplink.record->id());
  }
  return ids;
}

TEST(UplinkTable, IsEmptyAtFirst) {
  const UplinkTable table;
  EXPECT_THAT(table.snapshot().open, IsEmpty());
  EXPECT_THAT(table.snapshot().closed, IsEmpty());
  EXPECT_THAT(table.snapshot().listeners, IsEmpty());
  EXPECT_EQ(table.counts().accepted, 0U);
  EXPECT_EQ(table.counts().open, 0U);
}

TEST(UplinkTable, NumbersSessionsFromOneUp) {
  UplinkTable table;
  const auto first = table.open("native", "127.0.0.1:1", at(10));
  EXPECT_EQ(first->id(), 1U);
  EXPECT_EQ(first->listener(), "native");
  EXPECT_EQ(first->peer(), "127.0.0.1:1");
  EXPECT_EQ(first->connected_at(), at(10));
  table.close(first, CloseReason::end_of_stream, at(11));
  EXPECT_EQ(table.open("native", "127.0.0.1:1", at(12))->id(), 2U) << "a number was used again";
}

TEST(UplinkTable, ListsSessionsByIdAndLatestClosedFirst) {
  UplinkTable table;
  std::vector<std::shared_ptr<UplinkRecord>> records;
  for (int i = 0; i < 30; ++i) {
    records.push_back(table.open("native", "peer", at(i)));
  }
  table.close(records[4], CloseReason::malformed, at(100));
  table.close(records[2], CloseReason::truncated, at(101));

  const UplinkTable::Snapshot snapshot = table.snapshot();

  std::vector<SessionId> still_open;
  for (SessionId id = 1; id <= 30; ++id) {
    if (id != 5 && id != 3) {
      still_open.push_back(id);
    }
  }
  EXPECT_EQ(ids_of(snapshot.open), still_open);
  EXPECT_THAT(ids_of(snapshot.closed), ElementsAre(3, 5));
  EXPECT_EQ(snapshot.closed[0].reason, CloseReason::truncated);
  EXPECT_EQ(snapshot.closed[0].closed_at, at(101));
  EXPECT_EQ(snapshot.closed[1].reason, CloseReason::malformed);
  EXPECT_EQ(table.counts().open, 28U);
  EXPECT_EQ(table.counts().accepted, 30U);
}

TEST(UplinkTable, RemembersTheLastClosedSessionsAndCountsAll) {
  constexpr std::size_t sessions = UplinkTable::max_closed + 10;
  UplinkTable table;
  for (std::size_t i = 0; i < sessions; ++i) {
    table.close(table.open("native", "peer", at(0)), CloseReason::end_of_stream, at(1));
  }
  const std::vector<SessionId> closed = ids_of(table.snapshot().closed);
  ASSERT_EQ(closed.size(), UplinkTable::max_closed);
  EXPECT_EQ(closed.front(), sessions);
  EXPECT_EQ(closed.back(), 11U);
  EXPECT_EQ(table.counts().closed.at(static_cast<std::size_t>(CloseReason::end_of_stream)),
            sessions);
}

TEST(UplinkTable, SnapshotShowsWhatTheSessionCountsMeanwhile) {
  UplinkTable table;
  const auto record = table.open("native", "peer", at(0));
  const UplinkTable::Snapshot snapshot = table.snapshot();
  EXPECT_FALSE(snapshot.open.at(0)->last_frame_at().has_value());
  record->add_bytes(100);
  record->add_bytes(50);
  record->add_frames(2, at(5));
  record->add_frames(1, at(6));
  record->set_held(true);
  EXPECT_EQ(snapshot.open.at(0)->bytes(), 150U);
  EXPECT_EQ(snapshot.open.at(0)->frames(), 3U);
  EXPECT_EQ(snapshot.open.at(0)->last_frame_at(), at(6));
  EXPECT_TRUE(snapshot.open.at(0)->held());
  record->set_held(false);
  EXPECT_FALSE(snapshot.open.at(0)->held());
}

TEST(UplinkTable, CountsEachReasonByItself) {
  UplinkTable table;
  std::uint64_t times = 0;
  for (const CloseReason reason : all_close_reasons) {
    ++times;
    for (std::uint64_t i = 0; i < times; ++i) {
      table.close(table.open("native", "peer", at(0)), reason, at(1));
    }
  }
  times = 10;
  for (const Malformed reason : all_malformed) {
    ++times;
    for (std::uint64_t i = 0; i < times; ++i) {
      table.count_malformed(reason);
    }
  }
  table.count_truncated();
  table.count_truncated();
  table.count_idle_packets(5);
  table.count_idle_packets(7);

  const SessionCounts counts = table.counts();

  EXPECT_THAT(counts.closed, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9));
  EXPECT_THAT(counts.malformed, ElementsAre(11, 12, 13, 14, 15, 16));
  EXPECT_EQ(counts.truncated, 2U);
  EXPECT_EQ(counts.idle_packets, 12U);
}

TEST(UplinkTable, ListsListenersInTheirOrder) {
  UplinkTable table;
  table.set_listener({.name = "native", .framing = "length_prefixed", .address = "127.0.0.1:1"});
  table.set_listener({.name = "a", .framing = "ccsds_space_packet", .address = "[::1]:2"});
  const UplinkTable::Snapshot snapshot = table.snapshot();
  ASSERT_EQ(snapshot.listeners.size(), 2U);
  EXPECT_EQ(snapshot.listeners[0].name, "native");
  EXPECT_EQ(snapshot.listeners[1].name, "a");
  EXPECT_EQ(snapshot.listeners[1].framing, "ccsds_space_packet");
  EXPECT_EQ(snapshot.listeners[1].address, "[::1]:2");
}

TEST(UplinkTable, LosesNoSessionOfSeveralThreads) {
  constexpr int threads = 4;
  constexpr int sessions_each = 500;
  UplinkTable table;
  {
    std::vector<std::jthread> running;
    for (int i = 0; i < threads; ++i) {
      running.emplace_back([&table] {
        for (int session = 0; session < sessions_each; ++session) {
          const auto record = table.open("native", "peer", at(session));
          if (session % 2 == 0) {
            table.close(record, CloseReason::stopped, at(session));
          }
          EXPECT_LE(table.snapshot().closed.size(), UplinkTable::max_closed);
        }
      });
    }
  }
  const SessionCounts counts = table.counts();
  EXPECT_EQ(counts.accepted, 2000U);
  EXPECT_EQ(counts.open, 1000U);
  EXPECT_EQ(counts.closed.at(static_cast<std::size_t>(CloseReason::stopped)), 1000U);
}

TEST(UplinkTable, ReportsImplausiblePacketsOncePerListener) {
  UplinkTable table;
  EXPECT_TRUE(table.count_implausible("a"));
  EXPECT_FALSE(table.count_implausible("a"));
  EXPECT_TRUE(table.count_implausible("b"));
  table.remove_listener("b");
  EXPECT_TRUE(table.count_implausible("b")) << "another one of that name";
  EXPECT_EQ(table.counts().implausible, 4U);
}

}  // namespace
}  // namespace meridian::test
