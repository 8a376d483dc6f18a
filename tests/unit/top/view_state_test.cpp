#include "top/view_state.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace meridian::test {

using namespace top;

namespace {

/// 100 lines, 10 of them on the screen.
constexpr Extent shown{.count = 100, .room = 10};

/// Presses each of the keys, none of which ends it.
void press(ViewState& state, const std::vector<Key>& keys, Extent extent = shown) {
  for (const Key key : keys) {
    EXPECT_TRUE(state.press(key, extent));
  }
}

TEST(ViewState, BeginsWithTheSatellitesInTheirOrder) {
  const ViewState state({});
  EXPECT_EQ(state.table(), TableKind::satellites);
  EXPECT_EQ(state.sort(), (Sort{ColumnKey::satellite, false}));
  EXPECT_FALSE(state.help());
  EXPECT_FALSE(state.paused());
}

TEST(ViewState, BeginsWithWhatWasAskedFor) {
  const ViewState state(first_table_from("peer"));
  EXPECT_EQ(state.table(), TableKind::uplinks);
  EXPECT_EQ(state.sort(), (Sort{ColumnKey::peer, false}));
}

TEST(ViewState, EndsWithQAlone) {
  ViewState state({});
  press(state, {Key::h, Key::escape, Key::space, key_of('x'), key_of('Q'), Key::other});
  EXPECT_FALSE(state.press(Key::q, shown));
}

TEST(ViewState, ChangesTables) {
  ViewState state({});
  const std::pair<Key, TableKind> steps[] = {{Key::tab, TableKind::uplinks},
                                             {Key::tab, TableKind::satellites},
                                             {Key::u, TableKind::uplinks},
                                             {Key::u, TableKind::uplinks},
                                             {Key::s, TableKind::satellites}};
  for (const auto& [key, table] : steps) {
    press(state, {key});
    EXPECT_EQ(state.table(), table);
  }
}

TEST(ViewState, SortsByTheLetterOfEachColumn) {
  for (const TableKind kind : {TableKind::satellites, TableKind::uplinks}) {
    ViewState state({});
    press(state, {kind == TableKind::satellites ? Key::s : Key::u});
    for (const Column& column : columns_of(kind)) {
      if (column.key == ColumnKey::satellite || column.key == ColumnKey::id) {
        continue;  // sorted by it already
      }
      press(state, {key_of(column.letter)});
      EXPECT_EQ(state.sort(), (Sort{column.key, column.largest_first})) << column.name;
      press(state, {key_of(column.letter)});
      EXPECT_EQ(state.sort(), (Sort{column.key, !column.largest_first})) << column.name;
    }
  }
}

TEST(ViewState, EachTableKeepsItsOrderAndItsPlace) {
  ViewState state({});
  press(state, {key_of('d'), Key::down, Key::u, key_of('p')});
  EXPECT_EQ(state.sort(), (Sort{ColumnKey::peer, false}));
  EXPECT_EQ(state.first(), 0U);
  press(state, {Key::s});
  EXPECT_EQ(state.sort(), (Sort{ColumnKey::dropped, true}));
  EXPECT_EQ(state.first(), 1U);
}

TEST(ViewState, ScrollsWithinWhatThereIs) {
  ViewState state({});
  const std::pair<Key, std::size_t> steps[] = {
      {Key::up, 0},   {Key::down, 1},  {Key::page_down, 11}, {Key::page_up, 1}, {Key::page_up, 0},
      {Key::end, 90}, {Key::down, 90}, {Key::page_down, 90}, {Key::up, 89},     {Key::home, 0}};
  for (const auto& [key, first] : steps) {
    press(state, {key});
    EXPECT_EQ(state.first(), first);
  }
}

TEST(ViewState, ScrollsFromTheScreenAfterRowsHaveGone) {
  ViewState state({});
  press(state, {Key::end});
  EXPECT_EQ(state.first(), 90U);
  press(state, {Key::up}, {.count = 20, .room = 10});
  EXPECT_EQ(state.first(), 9U);
  press(state, {Key::down}, {.count = 5, .room = 10});
  EXPECT_EQ(state.first(), 0U);
}

TEST(ViewState, ShowsHelpAndScrollsItByItself) {
  ViewState state({});
  press(state, {Key::down, Key::question});
  EXPECT_TRUE(state.help());
  EXPECT_EQ(state.first(), 0U);
  press(state, {Key::page_down});
  EXPECT_EQ(state.first(), 10U);
  press(state, {Key::h});
  EXPECT_FALSE(state.help());
  EXPECT_EQ(state.first(), 1U);
  for (const Key leaves : {Key::escape, Key::tab, Key::s, key_of('f')}) {
    press(state, {Key::h, leaves});
    EXPECT_FALSE(state.help());
  }
}

TEST(ViewState, PausesAndGoesOn) {
  ViewState state({});
  press(state, {Key::space});
  EXPECT_TRUE(state.paused());
  press(state, {Key::space});
  EXPECT_FALSE(state.paused());
}

TEST(TopColumns, HaveUniqueLettersFromTheirHeadings) {
  for (const TableKind kind : {TableKind::satellites, TableKind::uplinks}) {
    std::string letters = "hqsu";
    for (const Column& column : columns_of(kind)) {
      EXPECT_EQ(letters.find(column.letter), std::string::npos) << column.name;
      letters += column.letter;
      EXPECT_NE(column.heading.find(static_cast<char>(column.letter - 'a' + 'A')),
                std::string::npos)
          << column.name;
    }
  }
}

TEST(TopColumns, AreAllTakenAndListedBySort) {
  try {
    std::ignore = first_table_from("no-such-name");
    FAIL() << "is taken";
  } catch (const std::runtime_error& error) {
    EXPECT_EQ(std::string(error.what()),
              "--sort: must be one of satellite, channel, state, age, rate, frames, octets, gaps, "
              "missing, duplicates, late, resets, dropped, id, peer, listener, connected");
  }
  for (const TableKind kind : {TableKind::satellites, TableKind::uplinks}) {
    for (const Column& column : columns_of(kind)) {
      EXPECT_EQ(first_table_from(column.name).sort.key, column.key);
    }
  }
}

}  // namespace
}  // namespace meridian::test
