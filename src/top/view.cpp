#include "top/view.hpp"

#include "status/figures.hpp"
#include "status/json.hpp"
#include "top/header.hpp"
#include "top/numbers.hpp"
#include "top/order.hpp"
#include "top/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>

namespace meridian::top {

namespace {

using status::with_separators;

constexpr Style key_style{.bold = true};

std::string time_of_day(ReceiveTime time) {
  return status::format_time(time).substr(11, 8) + " UTC";
}

Line title_line(const Figures& figures, const ViewState& state, std::size_t cells) {
  const auto uptime = std::chrono::seconds(static_cast<std::int64_t>(figures.uptime_s));
  const std::string time = time_of_day(figures.at);
  Line line = fitted({{.full = Line("meridian", {.bold = true}), .weight = 1},
                      {.full = Line("up " + duration_for_people(uptime)), .weight = 2},
                      {.full = state.paused() ? Line("PAUSED", {.bold = true, .reverse = true})
                                              : Line("live", {.tone = Tone::good}),
                       .weight = 3}},
                     cells - time.size() - 2);
  line.pad(cells - time.size());
  line.add(time);
  return line;
}

/// Replaces the title while the figures below it are old.
Line alarm_line(const Figures& figures, const Connection& connection, std::size_t cells) {
  const bool is_gone = connection.state == Connection::State::gone;
  std::string text = fmt::format("{} {} for {}", alarm_sign, is_gone ? "daemon gone" : "no answer",
                                 duration_for_people(connection.since));
  if (const std::string of = ", figures of " + time_of_day(figures.at);
      text.size() + of.size() <= cells) {
    text += of;
  }
  Line line(text, alarm_style);
  if (!connection.why.empty()) {
    line.add("; " + connection.why, alarm_style);
  }
  line.clip(cells);
  line.pad(cells, alarm_style);
  return line;
}

/// The letters that sort. Without room for all, only those of the more important columns.
Line sort_line(TableKind kind, std::size_t cells) {
  std::vector<Piece> pieces;
  for (const Column& column : columns_of(kind)) {
    pieces.push_back(
        {.full = Line(std::string(1, column.letter), key_style).add(" ").add(column.name),
         .weight = column.weight});
  }
  constexpr std::string_view label = "sort: ";
  return Line(label).add(fitted(std::move(pieces), cells - label.size()));
}

/// The keys, and at the right which rows are shown.
Line keys_line(const ViewState& state, Extent rows, std::size_t first, std::size_t cells) {
  const bool satellites = state.table() == TableKind::satellites;
  const std::size_t last = std::min(first + rows.room, rows.count);
  std::string place = fmt::format("{}-{} of {}", with_separators(rows.count == 0 ? 0 : first + 1),
                                  with_separators(last), with_separators(rows.count));
  if (cells >= 60) {
    place.insert(0, state.help() ? "help " : satellites ? "satellites " : "uplinks ");
  }
  const auto key = [](std::string_view name, std::string_view does, int weight) {
    return Piece{.full = Line(name, key_style).add(" ").add(does), .weight = weight};
  };
  const std::size_t room = cells - std::min(cells, place.size() + 2);
  Line line = fitted({key("q", "quit", 4), key("?", "help", 3),
                      satellites ? key("u", "uplinks", 2) : key("s", "satellites", 2),
                      key("space", state.paused() ? "resume" : "pause", 1)},
                     room);
  line.pad(cells - std::min(cells, place.size()));
  line.add(place);
  line.clip(cells);
  return line;
}

std::vector<Line> help_lines(TableKind kind) {
  const auto key = [](std::string_view keys, std::string_view does) {
    return Line(fmt::format("  {:<12}", keys), key_style).add(does);
  };
  std::vector<Line> lines{key("q", "quit"),
                          key("h ?", "show or close this help"),
                          key("Tab", "switch to the other table"),
                          key("s u", "satellites, uplinks"),
                          key("space", "pause, resume"),
                          key("arrows", "scroll"),
                          key("PgUp PgDn", "scroll by a page"),
                          key("Home End", "first row, last row"),
                          Line("Sort by (again: reverse):")};
  for (const Column& column : columns_of(kind)) {
    lines.push_back(key(std::string(1, column.letter), column.name));
  }
  lines.emplace_back("Signs:");
  lines.push_back(key("!", "silent, held, nearly full,"));
  lines.push_back(key("", fmt::format("or grown in the last {} s", recently.count())));
  lines.push_back(key("-", "unknown"));
  lines.push_back(key("^ v", "ascending, descending"));
  return lines;
}

/// The heights of the parts of a screen.
struct Layout {
  explicit Layout(std::size_t height) noexcept
      : footer(height >= 14 ? 2 : 1),
        most_header(height - footer - 2 - std::max<std::size_t>(2, height / 4)) {}

  std::size_t footer;
  std::size_t most_header;  // most lines, without the title; leaves room for rows of the table
};

/// The part between the header and the footer: a table, or the help.
View body_of(const Figures& figures, const ViewState& state, std::size_t lines, std::size_t cells) {
  View body;
  if (state.help()) {
    body.lines = help_lines(state.table());
    body.scrolled = {body.lines.size(), lines};
    const std::size_t first = std::min(state.first(), body.scrolled.last_first());
    body.lines.erase(body.lines.begin(),
                     std::next(body.lines.begin(), static_cast<std::ptrdiff_t>(first)));
    body.lines.resize(std::min(body.lines.size(), lines));
    return body;
  }
  const std::size_t room = lines - 1;  // below the heading
  body.scrolled = {rows_in(figures, state.table()), room};
  body.lines = table_lines(figures, state.table(), state.sort(),
                           std::min(state.first(), body.scrolled.last_first()), room, cells);
  if (body.scrolled.count == 0) {
    body.lines.emplace_back(state.table() == TableKind::satellites ? "no satellites so far"
                                                                   : "no uplinks are open");
  }
  return body;
}

}  // namespace

View view_of(const Figures& figures, const ViewState& state, const Connection& connection,
             ScreenSize size) {
  const std::size_t cells = size.width;
  if (size.width < least_width || size.height < least_height) {
    Line line(fmt::format("too small: needs {} x {}", least_width, least_height));
    line.clip(cells);
    return {.lines = {std::move(line)}, .scrolled = {}};
  }
  const bool is_live = connection.state == Connection::State::live;
  const Layout layout(size.height);

  View view;
  std::vector<Line>& lines = view.lines;
  lines = header_lines(figures, layout.most_header, cells);
  const std::size_t room = size.height - 1 - lines.size() - layout.footer;
  View body = body_of(figures, state, room, cells);
  view.scrolled = body.scrolled;
  std::ranges::move(body.lines, std::back_inserter(lines));
  if (!is_live) {
    std::ranges::for_each(lines, &Line::fade);
  }
  lines.insert(lines.begin(), is_live ? title_line(figures, state, cells)
                                      : alarm_line(figures, connection, cells));
  lines.resize(size.height - layout.footer);  // the footer stays at the bottom
  if (layout.footer > 1) {
    lines.push_back(sort_line(state.table(), cells));
  }
  lines.push_back(
      keys_line(state, view.scrolled, std::min(state.first(), view.scrolled.last_first()), cells));
  return view;
}

}  // namespace meridian::top
