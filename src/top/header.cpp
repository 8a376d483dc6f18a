#include "top/header.hpp"

#include "status/figures.hpp"
#include "top/numbers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace meridian::top {

namespace {

using status::with_separators;

constexpr Style label_style{.dim = true};

std::string scaled_count(std::uint64_t count) {
  return scaled(static_cast<double>(count));
}

/// The text; if it is an alarm, in the alarm's style and after its sign.
Line alarm_if(bool is_alarm, std::string_view text) {
  return is_alarm ? Line(alarm_sign, alarm_style).add(text, alarm_style) : Line(text);
}

/// How many uplinks and satellites there are.
Line facts_line(const Figures& figures, std::size_t cells) {
  const auto piece = [](std::uint64_t count, std::string_view what, std::string_view brief,
                        bool is_alarm, int weight) {
    return Piece{.full = alarm_if(is_alarm, fmt::format("{} {}", with_separators(count), what)),
                 .brief = alarm_if(is_alarm, fmt::format("{} {}", scaled_count(count), brief)),
                 .weight = weight};
  };
  const bool has_more = figures.has_others;
  return fitted({piece(figures.uplinks_open, "uplinks open", "open", false, 2),
                 piece(figures.uplinks_held, "held", "held", figures.uplinks_held > 0, 3),
                 piece(figures.satellite_count, has_more ? "satellites and others" : "satellites",
                       has_more ? "sats+" : "sats", false, 1),
                 piece(figures.silent.size(), "silent", "silent", !figures.silent.empty(), 3)},
                cells);
}

/// "!silent 17, 23 and 5 more", with as many ids as there is room for. No value if none is silent.
std::optional<Line> silent_line(const Figures& figures, std::size_t cells) {
  for (std::size_t shown = std::min(figures.silent.size(), cells); shown > 0; --shown) {
    std::string text;
    for (std::size_t i = 0; i < shown; ++i) {
      text += fmt::format("{}{}", i == 0 ? " " : ", ", figures.silent[i]);
    }
    if (const std::size_t more = figures.silent.size() - shown; more > 0) {
      text += fmt::format(" and {} more", with_separators(more));
    }
    Line line = alarm_if(true, "silent");
    line.add(text);
    if (line.cells() <= cells || shown == 1) {
      return line;
    }
  }
  return std::nullopt;
}

/// The terms of the ledger, in full or in brief.
Line parts_of(const LedgerFigures& ledger, bool is_brief) {
  Line line;
  const auto add = [&](std::uint64_t count, std::string_view name, std::string_view brief,
                       bool is_alarm) {
    line.add(line.cells() == 0 ? "" : is_brief ? "+" : " + ");
    line.add(alarm_if(is_alarm, is_brief ? fmt::format("{} {}", scaled_count(count), brief)
                                         : fmt::format("{} {}", name, with_separators(count))));
  };
  add(ledger.buffered, "buffered", "buf", false);
  if (ledger.leased > 0) {
    add(ledger.leased, "leased", "lsd", false);
  }
  if (ledger.delivered > 0) {
    add(ledger.delivered, "delivered", "dlv", false);
  }
  add(ledger.drained, "drained", "drn", false);
  add(ledger.flushed, "flushed", "fls", false);
  add(ledger.dropped.total, "dropped", "drp", ledger.dropped.recent);
  return line;
}

/// Received = buffered + leased + delivered + drained + flushed + dropped: in one line if there is
/// room, otherwise in two.
std::vector<Line> ledger_lines(const LedgerFigures& ledger, std::size_t cells) {
  const Line verdict =
      ledger.balanced ? Line("balances", {.tone = Tone::good}) : alarm_if(true, "DOES NOT BALANCE");
  const auto received = [&](const std::string& count) {
    return Line("received ").add(count, {.bold = true}).add(" =");
  };
  const Line exact = received(with_separators(ledger.received));
  Line parts = parts_of(ledger, false);
  Line whole = Line(exact).add(" ").add(parts).add("  ").add(verdict);
  if (whole.cells() <= cells) {
    return {std::move(whole)};
  }
  if (parts.cells() + 2 <= cells) {
    parts = Line("  ").add(parts);
  } else {
    parts = parts_of(ledger, true);
  }
  Line first = fitted({{.full = exact, .brief = received(scaled_count(ledger.received))},
                       {.full = verdict, .weight = 1}},
                      cells);
  parts.clip(cells);
  return {std::move(first), std::move(parts)};
}

Line rates_line(const Figures& figures, std::size_t cells) {
  const auto rate = [&](double Rates::* which) {
    return figures.rates ? std::optional((*figures.rates).*which) : std::nullopt;
  };
  const auto piece = [&](std::string_view name, std::string_view brief, double Rates::* which,
                         int weight) {
    const bool is_alarm = which == &Rates::dropped && rate(which).value_or(0) > 0;
    const std::string text = frame_rate(rate(which));
    return Piece{.full = alarm_if(is_alarm, fmt::format("{} {}", name, text)),
                 .brief = alarm_if(is_alarm, fmt::format("{} {}", brief, text)),
                 .weight = weight};
  };
  return fitted({piece("received", "rec", &Rates::received, 4),
                 {.full = Line(octet_rate(rate(&Rates::bytes))), .weight = 1},
                 piece("drained", "drn", &Rates::drained, 2),
                 piece("dropped", "drp", &Rates::dropped, 3)},
                cells);
}

double share(const Level& level) {
  return level.most == 0
             ? 0
             : std::min(1.0, static_cast<double>(level.now) / static_cast<double>(level.most));
}

/// The bar shows the level that is nearer to its limit, of frames or of octets. Each has a
/// percentage.
Line buffer_line(const Figures& figures, std::size_t cells) {
  constexpr double nearly_full = 0.9;
  constexpr std::size_t longest_bar = 40;
  constexpr std::size_t shortest_bar = 8;
  const Level& frames = figures.buffer_frames;
  const Level& bytes = figures.buffer_bytes;
  const auto percentages = [&](const std::string& of_frames, const std::string& of_bytes) {
    const auto text = [](const Level& level, const std::string& of) {
      return alarm_if(share(level) >= nearly_full, percent(level.now, level.most) + of);
    };
    return Line(" ").add(text(frames, of_frames)).add("  ").add(text(bytes, of_bytes));
  };
  constexpr std::string_view label = "buffer ";
  const std::size_t around = label.size() + 2;
  Line text = percentages(fmt::format(" of {} frames", with_separators(frames.most)),
                          fmt::format(" of {}", scaled_octets(static_cast<double>(bytes.most))));
  if (around + text.cells() + shortest_bar > cells) {
    text = percentages(" fr", " oct");
  }
  const std::size_t room = cells - std::min(cells, around + text.cells());
  const std::size_t length = std::min(longest_bar, room);
  const double level = std::max(share(frames), share(bytes));
  // The last cell is filled only if the buffer is full. The first is filled unless it is empty.
  auto filled = static_cast<std::size_t>(level * static_cast<double>(length));
  filled = std::max<std::size_t>(filled, level > 0 && length > 0 ? 1 : 0);
  const Style style{.tone = level >= nearly_full ? Tone::bad : Tone::good};
  Line line(label, label_style);
  line.add("[").add(std::string(filled, '#'), style);
  line.add(std::string(length - filled, '-'), label_style).add("]").add(text);
  line.clip(cells);
  return line;
}

Line channel_line(const Figures& figures, std::size_t cells) {
  const Level& channel = figures.channel;
  const Line label("channel", label_style);
  const bool is_full = channel.now >= channel.most;
  const std::string level =
      fmt::format("{} of {}", with_separators(channel.now), with_separators(channel.most));
  return fitted(
      {{.full = Line(label).add(" ").add(alarm_if(is_full, level + " batches")),
        .brief = Line(label).add(" ").add(alarm_if(is_full, level)),
        .weight = 1},
       {.full = Line(fmt::format("high water {}", with_separators(figures.channel_high_water)))}},
      cells);
}

Line reason_text(const Reason& reason, bool is_brief) {
  const Counter& count = reason.frames;
  const std::string growth = count.grown > 0 ? " +" + scaled_count(count.grown) : "";
  return alarm_if(count.recent,
                  fmt::format("{} {}{}", reason.name,
                              is_brief ? scaled_count(count.total) : with_separators(count.total),
                              is_brief ? "" : growth));
}

/// The reasons that are not 0. Those that have grown recently come first. No value if all are 0.
std::optional<Line> reasons_line(std::string_view label, const std::vector<Reason>& all,
                                 std::size_t cells) {
  std::vector<Reason> reasons;
  for (const bool recent : {true, false}) {
    std::ranges::copy_if(all, std::back_inserter(reasons), [&](const Reason& reason) {
      return reason.frames.total > 0 && reason.frames.recent == recent;
    });
  }
  std::optional<Line> line;
  for (std::size_t shown = reasons.size(); shown > 0; --shown) {
    for (const bool is_brief : {false, true}) {
      line = Line(label, label_style);
      for (std::size_t i = 0; i < shown; ++i) {
        line->add(i == 0 ? " " : "  ").add(reason_text(reasons[i], is_brief));
      }
      if (shown < reasons.size()) {
        line->add(fmt::format(" and {} more", reasons.size() - shown));
      }
      if (line->cells() <= cells) {
        return line;
      }
    }
  }
  if (line) {
    line->clip(cells);
  }
  return line;
}

}  // namespace

std::vector<Line> header_lines(const Figures& figures, std::size_t most, std::size_t cells) {
  std::vector<Line> ledger = ledger_lines(figures.ledger, cells);
  // Four or five lines are always there. The room that they leave goes to the most important of the
  // others first.
  std::size_t room = most - std::min(most, 3 + ledger.size());
  const auto if_room = [&room](std::optional<Line> line) {
    if (!line || room == 0) {
      return std::optional<Line>();
    }
    --room;
    return line;
  };
  const auto drops = if_room(reasons_line("dropped", figures.drops, cells));
  const auto silent = if_room(silent_line(figures, cells));
  const auto malformed = if_room(reasons_line("malformed", figures.malformed, cells));
  const auto channel = if_room(channel_line(figures, cells));

  std::vector<Line> lines{facts_line(figures, cells)};
  const auto add = [&lines](const std::optional<Line>& line) {
    if (line) {
      lines.push_back(*line);
    }
  };
  add(silent);
  std::ranges::move(ledger, std::back_inserter(lines));
  add(rates_line(figures, cells));
  add(buffer_line(figures, cells));
  add(channel);
  add(drops);
  add(malformed);
  return lines;
}

}  // namespace meridian::top
