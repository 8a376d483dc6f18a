#include "top/view.hpp"

#include "integration/harness/deadlines.hpp"
#include "top/header.hpp"
#include "unit/top/samples.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace meridian::test {

using namespace top;

namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using namespace std::chrono_literals;

std::vector<std::string> screen(const Figures& figures, ScreenSize size,
                                const std::vector<Key>& keys = {},
                                const Connection& connection = {}) {
  ViewState state({});
  View view = view_of(figures, state, connection, size);
  for (const Key key : keys) {
    EXPECT_TRUE(state.press(key, view.scrolled));
    view = view_of(figures, state, connection, size);
  }
  return texts(view.lines);
}

/// A second after the sample: frames have come, some were dropped, and a satellite is silent.
Figures busy_figures() {
  const Figures before = sample_figures();
  Poll poll = sample_poll(1s);
  Json& ledger = poll.stats["ledger"];
  ledger["received"] = 1'334'567;
  ledger["drained"] = 1'299'500;
  ledger["dropped"]["buffer_full_oldest"] = 1000;
  poll.stats["buffer"]["frames"] = 9500;
  poll.satellites["satellites"][0]["silent"] = true;
  poll.satellites["satellites"][1]["frames"] = 102'000;
  poll.satellites["satellites"][1]["bytes"] = 102'000 * 84;
  poll.satellites["satellites"][1]["dropped"] = 500;
  return figures_of(poll, &before);
}

TEST(TopView, SaysWhatMattersOnASmallScreen) {
  EXPECT_EQ(
      screen(busy_figures(), {40, 10}),
      (std::vector<std::string>{
          "meridian  up 1h 2m  live    10:03:13 UTC",  //
          "2 open  !1 held  2 sats  !1 silent",        //
          "received 1,334,567 =  balances",            //
          "1.00k buf+1.30M drn+33.0k fls+!1.07k drp",  //
          "rec 100k/s  drn 99.5k/s  !drp 500/s",       //
          "buffer [#########-] !95.0% fr  <0.1% oct", "SATELLITE^ CHANNEL STATE   FRAMES/S GAPS",
          "        17       0 !silent        0    0", "        42       0 heard       100k    0",
          "q quit  ? help  u uplinks       1-2 of 2"}));
}

TEST(TopView, ShowsMoreOnAnOrdinaryScreen) {
  const std::vector<std::string> lines = screen(busy_figures(), {80, 24});
  EXPECT_EQ(std::vector<std::string>(lines.begin(), lines.begin() + 14),
            (std::vector<std::string>{
                "meridian  up 1h 2m  live                                            10:03:13 UTC",
                "2 uplinks open  !1 held  2 satellites  !1 silent", "!silent 17",
                "received 1,334,567 =  balances",
                "  buffered 1,000 + drained 1,299,500 + flushed 33,000 + !dropped 1,067",
                "received 100k/s  8.40 MB/s  drained 99.5k/s  !dropped 500/s",
                "buffer [############################--] !95.0% of 10,000 frames  <0.1% of 268 MB",
                "channel 1 of 128 batches  high water 77",
                "dropped !buffer_full_oldest 1,000 +500  channel_full 67",
                "malformed length_too_large 1  truncated 4",
                "SATELLITE^ CHANNEL STATE   AGE FRAMES/S  FRAMES GAPS MISSING LATE DROPPED",
                "        17       0 !silent  3s        0   1,000    0       0    0       0",
                "        42       0 heard    3s     100k 102,000    0       0    0    !500", ""}));
  EXPECT_EQ(lines[22],
            "sort: i satellite  c channel  t state  r rate  g gaps  m missing  d dropped");
  EXPECT_EQ(lines[23],
            "q quit  ? help  u uplinks  space pause                       satellites 1-2 of 2");
}

TEST(TopView, HasTheLedgerInOneLineIfPossible) {
  EXPECT_THAT(screen(busy_figures(), {200, 60}),
              Contains("received 1,334,567 = buffered 1,000 + drained 1,299,500 + flushed 33,000 + "
                       "!dropped 1,067  balances"));
  Poll poll = sample_poll();
  poll.stats["ledger"]["buffered"] = 1;
  for (const ScreenSize size : {ScreenSize{40, 10}, {80, 24}, {200, 60}}) {
    EXPECT_THAT(screen(figures_of(poll, nullptr), size), Contains(HasSubstr("!DOES NOT BALANCE")))
        << size.width;
  }
}

void expect_fit(const Figures& figures, const ViewState& state, const Connection& connection) {
  for (const std::size_t width : {1U, 39U, 40U, 41U, 47U, 59U, 60U, 79U, 80U, 100U, 200U}) {
    for (const std::size_t height : {10U, 15U, 24U, 1U, 9U, 11U, 13U, 14U, 60U}) {
      if (test::slowdown > 1 && height != 10 && height != 15 && height != 24) {
        continue;  // those at which parts of the view come or go suffice under a sanitizer
      }
      const View view = view_of(figures, state, connection, {width, height});
      EXPECT_LE(view.lines.size(), height);
      for (const Line& line : view.lines) {
        EXPECT_LE(line.cells(), width) << line.text();
      }
    }
  }
}

TEST(TopView, FitsWhateverThereIsToSay) {
  Poll with_nothing = long_poll(0);
  with_nothing.stats["buffer"]["max_frames"] = 0;
  Poll all_silent = long_poll(300);
  for (Json& row : all_silent.satellites["satellites"]) {
    row["silent"] = true;
  }
  const Connection gone{Connection::State::gone, 100h, std::string(300, 'w')};
  for (const Figures& figures :
       {sample_figures(), busy_figures(), figures_of(huge_poll(), nullptr),
        figures_of(with_nothing, nullptr), figures_of(all_silent, nullptr)}) {
    for (const Key key : {Key::s, Key::u, Key::h}) {
      ViewState state({});
      EXPECT_TRUE(state.press(key, {}));
      expect_fit(figures, state, {});
      expect_fit(figures, state, gone);
    }
  }
}

TEST(TopView, ShowsRowsAndAHeadingAtAnySize) {
  const Figures figures = figures_of(long_poll(100), nullptr);
  for (std::size_t height = least_height; height < 70; ++height) {
    const ViewState state({});
    const View view = view_of(figures, state, {}, {least_width, height});
    EXPECT_EQ(view.lines.size(), height);
    EXPECT_GE(view.scrolled.room, 2U) << height;
    EXPECT_EQ(view.scrolled.count, 100U);
  }
}

TEST(TopView, SaysSoWhereTheScreenIsTooSmall) {
  EXPECT_EQ(screen(busy_figures(), {39, 10}),
            (std::vector<std::string>{"too small: needs 40 x 10"}));
  EXPECT_EQ(screen(busy_figures(), {80, 9}),
            (std::vector<std::string>{"too small: needs 40 x 10"}));
  EXPECT_EQ(screen(busy_figures(), {5, 3}), (std::vector<std::string>{"too s"}));
}

TEST(TopView, ScrollsAndSaysWhere) {
  const Figures figures = figures_of(long_poll(100), nullptr);
  const auto lines = screen(figures, {80, 24}, {Key::page_down, Key::down});
  EXPECT_THAT(lines.back(), HasSubstr("satellites 14-25 of 100"));
  EXPECT_THAT(screen(figures, {80, 24}, {Key::end}).back(), HasSubstr("89-100 of 100"));
  EXPECT_THAT(screen(figures, {80, 24}, {Key::end, Key::home}).back(), HasSubstr(" 1-12 of 100"));
}

TEST(TopView, ShowsTheUplinks) {
  const auto lines = screen(busy_figures(), {100, 24}, {Key::tab});
  EXPECT_THAT(lines, Contains("ID^  PEER             STATE      AGE  FRAMES/S  FRAMES  OCTETS  "
                              "LISTENER  CONNECTED"));
  EXPECT_THAT(lines, Contains("  2  127.0.0.1:5000   !held        -         0       0       0  "
                              "native    2026-11-25 09:00:00"));
  EXPECT_THAT(lines.back(), AllOf(HasSubstr("s satellites"), HasSubstr("uplinks 1-2 of 2")));
}

TEST(TopView, SaysSoWhereThereAreNoRows) {
  const Figures figures = figures_of(long_poll(0), nullptr);
  EXPECT_THAT(screen(figures, {80, 24}), Contains("no satellites so far"));
  EXPECT_THAT(screen(figures, {80, 24}, {Key::u}), Contains("no uplinks are open"));
  EXPECT_THAT(screen(figures, {80, 24}).back(), HasSubstr("satellites 0-0 of 0"));
}

TEST(TopView, HelpNamesEveryKey) {
  const auto lines = screen(busy_figures(), {100, 50}, {Key::h});
  for (const char* keys : {"  q ", "  h ? ", "  Tab ", "  s u ", "  space ", "  arrows ",
                           "  PgUp PgDn ", "  Home End ", "  i           satellite"}) {
    EXPECT_THAT(lines, Contains(StartsWith(keys)));
  }
}

TEST(TopView, SaysThatItIsPaused) {
  EXPECT_THAT(screen(busy_figures(), {80, 24}, {Key::space})[0],
              AllOf(HasSubstr("PAUSED"), Not(HasSubstr("live"))));
}

TEST(TopView, SaysHowLongTheDaemonHasBeenGone) {
  const ViewState state({});
  const Connection gone{Connection::State::gone, 125s, "control socket /s: no such file"};
  const View view = view_of(busy_figures(), state, gone, {100, 24});
  EXPECT_THAT(texts(view.lines)[0],
              "! daemon gone for 2m 5s, figures of 10:03:13 UTC; control "
              "socket /s: no such file");
  EXPECT_EQ(view.lines[0].spans()[0].style, alarm_style);
  EXPECT_EQ(texts(view.lines)[1], "2 uplinks open  !1 held  2 satellites  !1 silent");
  for (std::size_t i = 1; i < 22; ++i) {
    for (const Span& span : view.lines[i].spans()) {
      EXPECT_EQ(span.style, Style{.dim = true}) << "the figures are old: " << span.text;
    }
  }
  const Connection waiting{Connection::State::waiting, 4s, ""};
  EXPECT_EQ(texts(view_of(busy_figures(), state, waiting, {40, 10}).lines)[0],
            "! no answer for 4s");
}

TEST(TopHeader, DoesWithoutReasonsThatAreNotThere) {
  Poll poll = sample_poll();
  poll.stats["ledger"]["dropped"] = {{"channel_full", 0}};
  poll.stats["malformed"] = {{"length_too_large", 0}};
  poll.stats["truncated"] = 0;
  const auto lines = texts(header_lines(figures_of(poll, nullptr), 20, 80));
  EXPECT_THAT(lines, Not(Contains(StartsWith("dropped"))));
  EXPECT_THAT(lines, Not(Contains(StartsWith("malformed"))));
}

TEST(TopHeader, ShowsGrowingReasonsFirstAndCountsTheRest) {
  const Poll poll = sample_poll();
  const Figures before = figures_of(poll, nullptr);
  Poll next = sample_poll(1s);
  next.stats["ledger"]["dropped"]["channel_full"] = 70;
  const Figures figures = figures_of(next, &before);
  EXPECT_THAT(texts(header_lines(figures, 20, 80)),
              Contains("dropped !channel_full 70 +3  buffer_full_oldest 500"));
  EXPECT_THAT(texts(header_lines(figures, 20, 40)),
              Contains("dropped !channel_full 70 +3 and 1 more"));
}

TEST(TopHeader, NamesSilentSatellitesThatFit) {
  Poll poll = long_poll(30);
  for (Json& row : poll.satellites["satellites"]) {
    row["silent"] = true;
  }
  EXPECT_THAT(texts(header_lines(figures_of(poll, nullptr), 20, 40)),
              Contains("!silent 1, 2, 3, 4, 5, 6, 7 and 23 more"));
}

TEST(TopHeader, SaysThatSomeSatellitesAreNotTracked) {
  Poll poll = sample_poll();
  poll.satellites["satellites"].push_back(satellite_json(std::nullopt));
  const Figures figures = figures_of(poll, nullptr);
  EXPECT_THAT(texts(header_lines(figures, 20, 80)), Contains(HasSubstr("2 satellites and others")));
  EXPECT_THAT(texts(header_lines(figures, 20, 40)), Contains(HasSubstr("2 sats+")));
}

TEST(TopHeader, BarShowsTheNearerBound) {
  Poll poll = sample_poll();
  poll.stats["buffer"] = {{"frames", 1}, {"bytes", 500}, {"max_frames", 1000}, {"max_bytes", 1000}};
  EXPECT_THAT(texts(header_lines(figures_of(poll, nullptr), 20, 60)),
              Contains(AllOf(StartsWith("buffer [######------] 0.1% of"), HasSubstr("50.0% of"))));
}

}  // namespace
}  // namespace meridian::test
