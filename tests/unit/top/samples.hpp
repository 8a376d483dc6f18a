/// Answers of a daemon, as `meridianctl top` gets them.
#pragma once

#include "top/figures.hpp"
#include "top/styled_text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace meridian::test {

using Json = nlohmann::ordered_json;

inline constexpr std::uint64_t huge = std::numeric_limits<std::uint64_t>::max();

/// What a daemon answers to `stats` that has lost a little.
inline Json sample_stats() {
  return Json::parse(R"({
    "ledger": {"received": 1234567, "buffered": 1000, "leased": 0, "delivered": 0, "drained": 1200000, "flushed": 33000,
               "dropped": {"buffer_full_oldest": 500, "buffer_full_newest": 0, "channel_full": 67}},
    "buffer": {"frames": 1000, "bytes": 84000, "max_frames": 10000, "max_bytes": 268435456},
    "channel": {"length": 1, "capacity": 128, "high_water": 77},
    "sessions": {"open": 2},
    "malformed": {"length_too_small": 0, "length_too_large": 1},
    "truncated": 4,
    "uptime_s": 3725.5})");
}

inline Json satellite_json(std::optional<SatelliteId> id, std::uint64_t frames = 1000) {
  const Json known = id ? Json(*id) : Json(nullptr);
  return {{"satellite_id", known},
          {"channel_id", id ? Json(0) : Json(nullptr)},
          {"frames", frames},
          {"bytes", frames * 84},
          {"last_sequence", nullptr},
          {"gaps", 0},
          {"missing", 0},
          {"duplicates", 0},
          {"late", 0},
          {"resets", 0},
          {"dropped", 0},
          {"last_seen_at", "2026-11-25T10:03:10.000000Z"},
          {"silent", id ? Json(false) : Json(nullptr)}};
}

inline Json uplink_json(std::uint64_t id, const std::string& peer, bool held = false) {
  return {{"id", id},
          {"listener", "native"},
          {"peer", peer},
          {"state", held ? "held" : "receiving"},
          {"connected_at", "2026-11-25T09:00:00.000000Z"},
          {"last_frame_at", nullptr},
          {"frames", 0},
          {"bytes", 0}};
}

/// The satellites 17 and 42, and two uplinks, `seconds` after 10:03:12.
inline top::Poll sample_poll(std::chrono::milliseconds later = {}) {
  top::Poll poll;
  poll.taken = std::chrono::steady_clock::time_point(std::chrono::hours(1)) + later;
  poll.at = std::chrono::sys_days(std::chrono::year(2026) / 11 / 25) + std::chrono::hours(10) +
            std::chrono::minutes(3) + std::chrono::seconds(12) + later;
  poll.stats = sample_stats();
  poll.stats["uptime_s"] =
      poll.stats["uptime_s"].get<double>() + std::chrono::duration<double>(later).count();
  poll.satellites = {{"satellites", Json::array({satellite_json(17), satellite_json(42, 2000)})}};
  poll.uplinks = {{"uplinks", Json::array({uplink_json(1, "127.0.0.1:40000"),
                                           uplink_json(2, "127.0.0.1:5000", true)})},
                  {"closed", Json::array()}};
  return poll;
}

/// Every counter as large as it can be.
inline top::Poll huge_poll() {
  top::Poll poll = sample_poll();
  poll.stats["ledger"] = {{"received", huge},
                          {"buffered", huge / 4},
                          {"drained", huge / 4},
                          {"leased", 0},
                          {"delivered", 0},
                          {"flushed", huge / 4},
                          {"dropped", {{"buffer_full_oldest", huge - huge / 4 * 3}}}};
  poll.stats["buffer"] = {
      {"frames", huge / 4}, {"bytes", huge}, {"max_frames", huge}, {"max_bytes", huge}};
  poll.stats["channel"] = {{"length", huge}, {"capacity", huge}, {"high_water", huge}};
  poll.stats["sessions"]["open"] = huge;
  poll.stats["malformed"]["length_too_large"] = huge;
  poll.stats["truncated"] = huge;
  for (Json& row : poll.satellites["satellites"]) {
    row["satellite_id"] =
        std::numeric_limits<SatelliteId>::max() - row["frames"].get<SatelliteId>();
    for (const char* key :
         {"frames", "bytes", "gaps", "missing", "duplicates", "late", "resets", "dropped"}) {
      row[key] = huge;
    }
  }
  for (Json& row : poll.uplinks["uplinks"]) {
    row["frames"] = row["bytes"] = huge;
    row["id"] = huge - row["id"].get<std::uint64_t>();
    row["peer"] = "[2001:0db8:0000:0000:0000:ff00:0042:8329]:65535";
    row["listener"] = std::string(200, 'x');
  }
  return poll;
}

/// So many satellites, of which none is silent, and as many uplinks.
inline top::Poll long_poll(std::uint32_t rows) {
  top::Poll poll = sample_poll();
  poll.satellites["satellites"].clear();
  poll.uplinks["uplinks"].clear();
  for (std::uint32_t i = 1; i <= rows; ++i) {
    poll.satellites["satellites"].push_back(satellite_json(i, i));
    poll.uplinks["uplinks"].push_back(uplink_json(i, fmt::format("127.0.0.1:{}", i)));
  }
  return poll;
}

inline top::Figures sample_figures() {
  return figures_of(sample_poll(), nullptr);
}

/// What lines say, without blanks at their ends.
inline std::vector<std::string> texts(const std::vector<top::Line>& lines) {
  std::vector<std::string> out;
  for (const top::Line& line : lines) {
    out.push_back(line.text());
    out.back().erase(out.back().find_last_not_of(' ') + 1);
  }
  return out;
}

}  // namespace meridian::test
