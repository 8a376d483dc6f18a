#include "top/figures.hpp"

#include "unit/top/samples.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <tuple>

namespace meridian::test {

using namespace top;

namespace {

using testing::DoubleEq;
using testing::ElementsAre;
using testing::Optional;
using namespace std::chrono_literals;

/// The figures of `now`, after those of a sample.
Figures after_sample(const Poll& now) {
  const Figures before = sample_figures();
  return figures_of(now, &before);
}

const Counter& drop(const Figures& figures, const std::string& name) {
  return std::ranges::find(figures.drops, name, &Reason::name)->frames;
}

TEST(TopFigures, AreWhatTheDaemonAnswers) {
  const Figures figures = sample_figures();
  EXPECT_EQ(figures.uptime_s, 3725.5);
  EXPECT_EQ(figures.ledger.received, 1'234'567U);
  EXPECT_EQ(figures.ledger.buffered, 1000U);
  EXPECT_EQ(figures.ledger.drained, 1'200'000U);
  EXPECT_EQ(figures.ledger.flushed, 33'000U);
  EXPECT_EQ(figures.ledger.dropped.total, 567U);
  EXPECT_TRUE(figures.ledger.balanced);
  EXPECT_EQ(figures.buffer_frames.now, 1000U);
  EXPECT_EQ(figures.buffer_frames.most, 10'000U);
  EXPECT_EQ(figures.buffer_bytes.now, 84'000U);
  EXPECT_EQ(figures.buffer_bytes.most, 268'435'456U);
  EXPECT_EQ(figures.channel.now, 1U);
  EXPECT_EQ(figures.channel.most, 128U);
  EXPECT_EQ(figures.channel_high_water, 77U);
  EXPECT_EQ(figures.uplinks_open, 2U);
  EXPECT_EQ(figures.uplinks_held, 1U);
  EXPECT_EQ(figures.satellite_count, 2U);
  EXPECT_EQ(figures.bytes, 3000U * 84);
  EXPECT_EQ(drop(figures, "channel_full").total, 67U);
  EXPECT_EQ(figures.malformed.back().name, "truncated");
  EXPECT_EQ(figures.malformed.back().frames.total, 4U);
}

TEST(TopFigures, SayWhereTheLedgerDoesNotBalance) {
  for (const char* column : {"received", "buffered", "leased", "delivered", "drained", "flushed"}) {
    Poll poll = sample_poll();
    poll.stats["ledger"][column] = 1;
    EXPECT_FALSE(figures_of(poll, nullptr).ledger.balanced) << column;
  }
  EXPECT_TRUE(figures_of(huge_poll(), nullptr).ledger.balanced);
}

TEST(TopFigures, HaveNoRatesWithoutAPollBefore) {
  const Figures figures = sample_figures();
  EXPECT_EQ(figures.rates, std::nullopt);
  EXPECT_EQ(figures.satellites.front().rate, std::nullopt);
  EXPECT_EQ(figures.uplinks.front().rate, std::nullopt);
  EXPECT_FALSE(figures.ledger.dropped.recent) << "it may be long ago";
}

TEST(TopFigures, RatesAreDifferencesByTheTimeBetween) {
  Poll poll = sample_poll(500ms);
  poll.stats["ledger"]["received"] = 1'234'567 + 100;
  poll.stats["ledger"]["drained"] = 1'200'000 + 50;
  poll.stats["ledger"]["dropped"]["channel_full"] = 67 + 10;
  poll.satellites["satellites"][1]["frames"] = 2000 + 30;
  poll.satellites["satellites"][1]["bytes"] = 2000 * 84 + 300;
  poll.uplinks["uplinks"][0]["frames"] = 7;
  const Figures figures = after_sample(poll);
  ASSERT_TRUE(figures.rates);
  EXPECT_DOUBLE_EQ(figures.rates->received, 200);
  EXPECT_DOUBLE_EQ(figures.rates->drained, 100);
  EXPECT_DOUBLE_EQ(figures.rates->dropped, 20);
  EXPECT_DOUBLE_EQ(figures.rates->bytes, 600);
  EXPECT_THAT(figures.satellites[0].rate, Optional(0.0));
  EXPECT_THAT(figures.satellites[1].rate, Optional(60.0));
  EXPECT_THAT(figures.uplinks[0].rate, Optional(14.0));
}

TEST(TopFigures, ADrainThatFailsIsNoNegativeRate) {
  Poll poll = sample_poll(1s);
  poll.stats["ledger"]["drained"] = 1'200'000 - 50;
  poll.stats["ledger"]["buffered"] = 1050;
  const Figures figures = after_sample(poll);
  ASSERT_TRUE(figures.rates);
  EXPECT_EQ(figures.rates->drained, 0);
}

TEST(TopFigures, HaveNoRatesOverNextToNoTime) {
  EXPECT_EQ(after_sample(sample_poll(0ms)).rates, std::nullopt);
}

TEST(TopFigures, WhatHasGrownIsRecentForTenSeconds) {
  Figures figures = sample_figures();
  Poll poll = sample_poll(1s);
  poll.stats["ledger"]["dropped"]["channel_full"] = 70;
  poll.stats["truncated"] = 5;
  poll.satellites["satellites"][0]["gaps"] = 2;
  figures = figures_of(poll, &figures);
  EXPECT_EQ(drop(figures, "channel_full").grown, 3U);
  EXPECT_TRUE(drop(figures, "channel_full").recent);
  EXPECT_FALSE(drop(figures, "buffer_full_oldest").recent);
  EXPECT_TRUE(figures.ledger.dropped.recent);
  EXPECT_TRUE(figures.malformed.back().frames.recent);
  EXPECT_TRUE(figures.satellites[0].loss(Loss::gaps).recent);
  EXPECT_FALSE(figures.satellites[0].loss(Loss::missing).recent);
  EXPECT_FALSE(figures.satellites[1].loss(Loss::gaps).recent);

  for (const auto& [later, recent] : {std::pair(10'900ms, true), {11'000ms, false}}) {
    Poll unchanged = poll;
    unchanged.taken = sample_poll(later).taken;
    unchanged.stats["uptime_s"] = sample_poll(later).stats["uptime_s"];
    const Figures now = figures_of(unchanged, &figures);
    EXPECT_EQ(drop(now, "channel_full").grown, 0U);
    EXPECT_EQ(drop(now, "channel_full").recent, recent);
    EXPECT_EQ(now.satellites[0].loss(Loss::gaps).recent, recent);
  }
}

TEST(TopFigures, NewRowHasNotGrown) {
  Poll poll = sample_poll(1s);
  poll.satellites["satellites"].push_back(satellite_json(99, 10));
  poll.satellites["satellites"].back()["gaps"] = 3;
  poll.uplinks["uplinks"].push_back(uplink_json(3, "127.0.0.1:1"));
  const Figures figures = after_sample(poll);
  EXPECT_EQ(figures.satellites.back().rate, std::nullopt);
  EXPECT_FALSE(figures.satellites.back().loss(Loss::gaps).recent);
  EXPECT_EQ(figures.uplinks.back().rate, std::nullopt);
}

TEST(TopFigures, RatesBeginAgainWhereTheDaemonHas) {
  struct Case {
    const char* what;
    std::chrono::seconds later;
    double uptime_s;
    std::uint64_t received;
  };
  const Case cases[] = {{"the uptime has fallen", 1s, 0.5, 1'234'567},
                        {"so have the counters", 1s, 3726.5, 12},
                        {"it was started between the two", 3800s, 3790, 9'999'999}};
  for (const Case& each : cases) {
    Poll poll = sample_poll(each.later);
    poll.stats["uptime_s"] = each.uptime_s;
    poll.stats["ledger"]["received"] = each.received;
    poll.stats["ledger"]["dropped"]["channel_full"] = 1000;
    const Figures figures = after_sample(poll);
    EXPECT_EQ(figures.rates, std::nullopt) << each.what;
    EXPECT_EQ(figures.satellites[0].rate, std::nullopt) << each.what;
    EXPECT_FALSE(figures.ledger.dropped.recent) << each.what;

    // And with the next poll there are rates again.
    Poll next = poll;
    next.taken += 1s;
    next.stats["uptime_s"] = each.uptime_s + 1;
    next.stats["ledger"]["received"] = each.received + 5;
    const Figures then = figures_of(next, &figures);
    ASSERT_TRUE(then.rates) << each.what;
    EXPECT_DOUBLE_EQ(then.rates->received, 5) << each.what;
  }
}

TEST(TopFigures, HugeCountersKeepTheirLastDigit) {
  Poll poll = sample_poll();
  poll.stats["ledger"]["received"] = huge - 10;
  const Figures before = figures_of(poll, nullptr);
  Poll next = sample_poll(1s);
  next.stats["ledger"]["received"] = huge;
  const Figures figures = figures_of(next, &before);
  EXPECT_EQ(figures.ledger.received, huge);
  ASSERT_TRUE(figures.rates);
  EXPECT_DOUBLE_EQ(figures.rates->received, 10);
}

TEST(TopFigures, AgesAreThoseOfThePoll) {
  struct Case {
    const char* last_seen_at;
    std::optional<std::chrono::seconds> age;
  };
  const Case cases[] = {{"2026-11-25T10:03:10.000000Z", 2s},
                        {"2026-11-25T10:03:11.000001Z", 0s},
                        {"2026-11-24T10:03:12.000000Z", 24h},
                        {"2026-11-25T10:03:13.000000Z", 0s},  // the clock was set back
                        {"yesterday", std::nullopt},
                        {"2026-13-25T10:03:10.000000Z", std::nullopt},
                        {"2026-11-25T1x:03:10.000000Z", std::nullopt}};
  for (const Case& each : cases) {
    Poll poll = sample_poll();
    poll.satellites["satellites"][0]["last_seen_at"] = each.last_seen_at;
    EXPECT_EQ(figures_of(poll, nullptr).satellites[0].age, each.age) << each.last_seen_at;
  }
}

TEST(TopFigures, WhatIsNullIsNotKnown) {
  Poll poll = sample_poll();
  poll.satellites["satellites"].push_back(satellite_json(std::nullopt));
  const Figures figures = figures_of(poll, nullptr);
  EXPECT_EQ(figures.satellites.back().satellite_id, std::nullopt);
  EXPECT_EQ(figures.satellites.back().channel_id, std::nullopt);
  EXPECT_EQ(figures.satellite_count, 2U) << "the others are not one";
  EXPECT_TRUE(figures.has_others);
  EXPECT_EQ(figures.uplinks[0].age, std::nullopt) << "no frame came so far";

  Poll later = poll;
  later.taken += 1s;
  later.stats["uptime_s"] = 3726.5;
  later.satellites["satellites"][2]["frames"] = 1004;
  EXPECT_THAT(figures_of(later, &figures).satellites.back().rate, Optional(DoubleEq(4)));
}

TEST(TopFigures, CountSatellitesNotTheirChannels) {
  Poll poll = sample_poll();
  for (const unsigned channel : {1U, 2U}) {
    for (const unsigned id : {42U, 17U}) {
      Json row = satellite_json(id);
      row["channel_id"] = channel;
      row["silent"] = true;
      poll.satellites["satellites"].push_back(row);
    }
  }
  const Figures figures = figures_of(poll, nullptr);
  EXPECT_EQ(figures.satellites.size(), 6U);
  EXPECT_EQ(figures.satellite_count, 2U);
  EXPECT_THAT(figures.silent, ElementsAre(17, 42));
}

TEST(TopFigures, ThrowIfAPromisedFieldIsMissing) {
  for (const char* key : {"ledger", "buffer", "channel", "sessions", "malformed", "truncated"}) {
    Poll poll = sample_poll();
    poll.stats.erase(key);
    EXPECT_THROW(std::ignore = figures_of(poll, nullptr), Json::exception) << key;
  }
  Poll poll = sample_poll();
  poll.satellites["satellites"][0].erase("silent");
  EXPECT_THROW(std::ignore = figures_of(poll, nullptr), Json::exception);
}

}  // namespace
}  // namespace meridian::test
