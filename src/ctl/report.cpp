#include "ctl/report.hpp"

#include "ctl/table.hpp"
#include "runtime/printable.hpp"
#include "status/figures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

namespace meridian::ctl {

namespace {

using Align = Table::Align;
using status::octets_for_people;
using status::with_separators;

std::uint64_t number(const Json& json, const char* key) {
  return json.at(key).get<std::uint64_t>();
}

std::string counted(const Json& json, const char* key) {
  return with_separators(number(json, key));
}

/// A value as text: "-" for null, strings without quotes and made printable.
std::string plain(const Json& value) {
  if (value.is_null()) {
    return "-";
  }
  return runtime::printable(value.is_string() ? value.get<std::string>() : value.dump());
}

/// The reasons that are not 0, such as "truncated 3, malformed 4", or "none".
std::string reasons(const Json& by_reason) {
  std::string text;
  for (const auto& [reason, count] : by_reason.items()) {
    if (count != 0) {
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", runtime::printable(reason),
                          with_separators(count.get<std::uint64_t>()));
    }
  }
  return text.empty() ? "none" : text;
}

std::uint64_t sum(const Json& by_reason) {
  std::uint64_t total = 0;
  for (const Json& count : by_reason) {
    total += count.get<std::uint64_t>();
  }
  return total;
}

std::string level(const Json& json, const char* now, const char* limit, const char* high_water) {
  return fmt::format("{} of {} (high water {})", counted(json, now), counted(json, limit),
                     counted(json, high_water));
}

}  // namespace

std::string report_depth(const Json& result) {
  return fmt::format("{} frames, {} ({} bytes)\n", counted(result, "frames"),
                     octets_for_people(number(result, "bytes")), counted(result, "bytes"));
}

std::string report_flush(const Json& result) {
  return fmt::format("discarded {} frames\n", counted(result, "discarded"));
}

std::string report_stats(const Json& result) {
  const Json& ledger = result.at("ledger");
  const std::uint64_t accounted = number(ledger, "buffered") + number(ledger, "leased") +
                                  number(ledger, "delivered") + number(ledger, "drained") +
                                  number(ledger, "flushed") + sum(ledger.at("dropped"));
  const bool balanced = accounted == number(ledger, "received");
  const Json& buffer = result.at("buffer");
  const Json& sessions = result.at("sessions");
  const Json& control = result.at("control");

  std::string text;
  const auto line = [&](std::string_view name, std::string_view value) {
    fmt::format_to(std::back_inserter(text), "{:<18}{}\n", name, value);
  };
  line("received", counted(ledger, "received"));
  line("  buffered", counted(ledger, "buffered"));
  line("  leased", counted(ledger, "leased"));
  line("  delivered", counted(ledger, "delivered"));
  line("  drained", counted(ledger, "drained"));
  line("  flushed", counted(ledger, "flushed"));
  line("  dropped", fmt::format("{} ({})", with_separators(sum(ledger.at("dropped"))),
                                reasons(ledger.at("dropped"))));
  line("ledger",
       balanced ? "balanced: received = buffered + leased + delivered + drained + flushed + dropped"
                : "DOES NOT BALANCE");
  line("buffer frames", level(buffer, "frames", "max_frames", "frames_high_water"));
  line("buffer bytes", level(buffer, "bytes", "max_bytes", "bytes_high_water"));
  line("channel batches", level(result.at("channel"), "length", "capacity", "high_water"));
  line("sessions", fmt::format("{} open, {} accepted", counted(sessions, "open"),
                               counted(sessions, "accepted")));
  line("  closed", reasons(sessions.at("closed")));
  line("malformed", reasons(result.at("malformed")));
  line("truncated", counted(result, "truncated"));
  if (result.contains("implausible")) {
    line("implausible", counted(result, "implausible"));
  }
  line("idle packets", counted(result, "idle_packets"));
  line("control clients",
       fmt::format("{}, {} accepted, cut off: {}", counted(control, "clients"),
                   counted(control, "accepted"), reasons(control.at("cut_off"))));
  if (const Json faults = result.value("faults", Json::object()); sum(faults) > 0) {
    line("faults", fmt::format("internal errors: {}", reasons(faults)));
  }
  const Json& state = result.at("state");
  line("state", state.at("directory").is_null()
                    ? "not saved when the daemon stops"
                    : fmt::format("{}: {} frames restored, {} not", plain(state.at("directory")),
                                  counted(state, "restored"), counted(state, "not_restored")));
  if (!state.at("set_aside").is_null()) {
    line("  damaged", fmt::format("{} bytes, set aside as {}", counted(state, "damaged_bytes"),
                                  plain(state.at("set_aside"))));
  }
  line("uptime", fmt::format("{:.1f} s", result.at("uptime_s").get<double>()));
  return text;
}

std::string report_uplinks(const Json& result) {
  std::string text;
  Table listeners({{"LISTENER"}, {"FRAMING"}, {"ADDRESS"}});
  for (const Json& listener : result.at("listeners")) {
    listeners.add(
        {plain(listener.at("name")), plain(listener.at("framing")), plain(listener.at("address"))});
  }
  text += listeners.to_text();

  Table table({{"ID", Align::right},
               {"LISTENER"},
               {"PEER"},
               {"STATE"},
               {"CONNECTED AT"},
               {"LAST FRAME AT"},
               {"FRAMES", Align::right},
               {"OCTETS", Align::right}});
  const auto add = [&table](const Json& uplink, std::string state) {
    table.add({plain(uplink.at("id")), plain(uplink.at("listener")), plain(uplink.at("peer")),
               std::move(state), plain(uplink.at("connected_at")),
               plain(uplink.at("last_frame_at")), counted(uplink, "frames"),
               counted(uplink, "bytes")});
  };
  for (const Json& uplink : result.at("uplinks")) {
    add(uplink, plain(uplink.at("state")));
  }
  for (const Json& uplink : result.at("closed")) {
    add(uplink, "closed: " + plain(uplink.at("reason")));
  }
  return text + "\n" + (table.empty() ? "no uplinks so far\n" : table.to_text());
}

namespace {

/// The cells from LAST SEQUENCE to RESETS. "-" for figures that the daemon does not count.
std::vector<std::string> sequence_cells(const Json& row) {
  std::vector<std::string> cells{plain(row.at("last_sequence"))};
  for (const char* const key : {"gaps", "missing", "duplicates", "late", "jumps", "resets"}) {
    cells.push_back(row.contains(key) ? counted(row, key) : "-");
  }
  return cells;
}

/// The row for the stored frames of an origin, below the origin's own row.
std::vector<std::string> stored_cells(const Json& stored) {
  std::vector<std::string> cells{"", "stored", counted(stored, "frames"), "-"};
  std::ranges::move(sequence_cells(stored), std::back_inserter(cells));
  cells.insert(cells.end(), {"-", plain(stored.at("last_seen_at")), "-"});
  return cells;
}

}  // namespace

std::string report_satellites(const Json& result) {
  Table table({{"SATELLITE", Align::right},
               {"CHANNEL", Align::right},
               {"FRAMES", Align::right},
               {"OCTETS", Align::right},
               {"LAST SEQUENCE", Align::right},
               {"GAPS", Align::right},
               {"MISSING", Align::right},
               {"DUPLICATES", Align::right},
               {"LATE", Align::right},
               {"JUMPS", Align::right},
               {"RESETS", Align::right},
               {"DROPPED", Align::right},
               {"LAST SEEN AT"},
               {"STATE"}});
  for (const Json& row : result.at("satellites")) {
    const bool beyond_cap = row.at("satellite_id").is_null();
    std::vector<std::string> cells{beyond_cap ? "others" : plain(row.at("satellite_id")),
                                   plain(row.at("channel_id")), counted(row, "frames"),
                                   counted(row, "bytes")};
    std::ranges::move(sequence_cells(row), std::back_inserter(cells));
    const char* const state = beyond_cap ? "-" : row.at("silent").get<bool>() ? "silent" : "heard";
    cells.insert(cells.end(), {counted(row, "dropped"), plain(row.at("last_seen_at")), state});
    table.add(std::move(cells));
    if (const auto stored = row.find("stored"); stored != row.end() && !stored->is_null()) {
      table.add(stored_cells(*stored));
    }
  }
  return table.empty() ? "no satellites so far\n" : table.to_text();
}

std::string report_forget(const Json& result) {
  return fmt::format("forgot {} channels\n", counted(result, "forgotten"));
}

std::string report_sinks(const Json& result) {
  Table table({{"SINK"},
               {"STREAM"},
               {"SERVER"},
               {"BEHIND FRAMES", Align::right},
               {"OCTETS", Align::right},
               {"SECONDS", Align::right},
               {"IN FLIGHT", Align::right},
               {"ACKNOWLEDGED", Align::right},
               {"MESSAGES", Align::right},
               {"REPEATED", Align::right},
               {"RETRIED", Align::right},
               {"REFUSED"},
               {"SKIPPED"}});
  std::string sentences;
  for (const Json& sink : result.at("sinks")) {
    const std::string name = plain(sink.at("name"));
    const Json& lag = sink.at("lag");
    const Json& acknowledged = sink.at("acknowledged");
    table.add({name, plain(sink.at("stream")), plain(sink.at("server")), counted(lag, "frames"),
               counted(lag, "bytes"), fmt::format("{:.1f}", lag.at("seconds").get<double>()),
               counted(sink.at("in_flight"), "messages"), counted(acknowledged, "frames"),
               counted(acknowledged, "messages"), counted(acknowledged, "duplicates"),
               counted(sink, "retried"), reasons(sink.at("refused")), reasons(sink.at("skipped"))});
    if (const Json& problem = sink.at("problem"); !problem.is_null()) {
      sentences += fmt::format("{}: {}: {}\n", name, plain(problem.at("reason")),
                               plain(problem.at("message")));
    }
    for (const Json& sentence : sink.at("unsafe")) {
      sentences += fmt::format("{}: unsafe: {}\n", name, plain(sentence));
    }
  }
  if (table.empty()) {
    return "no sinks are configured\n";
  }
  return table.to_text() + (sentences.empty() ? "" : "\n" + sentences);
}

std::string report_reload(const Json& result) {
  std::string text;
  for (const Json& key : result.at("changed")) {
    text += fmt::format("changed: {}\n", plain(key));
  }
  for (const Json& key : result.at("needs_restart")) {
    text += fmt::format("needs a restart: {}\n", plain(key));
  }
  return text.empty() ? "nothing has changed\n" : text;
}

std::string report_log_level(const Json& result) {
  return fmt::format("log level {}, was {}\n", plain(result.at("level")),
                     plain(result.at("before")));
}

std::string report_version(const Json& result) {
  return fmt::format("{} {} ({})\n", plain(result.at("name")), plain(result.at("version")),
                     plain(result.at("build")));
}

}  // namespace meridian::ctl
