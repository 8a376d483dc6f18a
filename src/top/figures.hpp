/// What `meridianctl top` shows, worked out from the daemon's answers.
#pragma once

#include <meridian/frame.hpp>

#include <nlohmann/json.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace meridian::top {

/// The answers to `stats`, `satellites` and `uplinks`, and when the first of them came.
struct Poll {
  std::chrono::steady_clock::time_point taken{};  ///< for rates
  ReceiveTime at{};                               ///< by the wall clock, which somebody may set
  nlohmann::ordered_json stats;
  nlohmann::ordered_json satellites;
  nlohmann::ordered_json uplinks;
};

/// How long a counter stands out after it has grown, so that an operator who looks up sees it.
inline constexpr std::chrono::seconds recently{10};

/// A counter that should stay at 0.
struct Counter {
  std::uint64_t total = 0;
  std::uint64_t grown = 0;  ///< by how much, since the poll before; 0 if that is not known
  std::optional<std::chrono::steady_clock::time_point> grew_at{};  ///< the last time
  bool recent = false;                                             ///< has grown within `recently`
};

/// Why frames were dropped, or why streams are malformed.
struct Reason {
  std::string name;
  Counter frames;  ///< or streams, if the reason is one for malformed streams
};

struct LedgerFigures {
  std::uint64_t received = 0;
  std::uint64_t buffered = 0;
  std::uint64_t leased = 0;
  std::uint64_t delivered = 0;
  std::uint64_t drained = 0;
  std::uint64_t flushed = 0;
  Counter dropped;
  bool balanced = true;
};

/// A level and its bound.
struct Level {
  std::uint64_t now = 0;
  std::uint64_t most = 0;
};

/// What happened per second between two polls, in frames unless it says otherwise.
struct Rates {
  double received = 0;
  double bytes = 0;  ///< octets received
  double drained = 0;
  double dropped = 0;
};

enum class Loss : std::uint8_t { gaps, missing, duplicates, late, resets, dropped };
inline constexpr std::array all_losses{Loss::gaps, Loss::missing, Loss::duplicates,
                                       Loss::late, Loss::resets,  Loss::dropped};

/// The row of a satellite and channel. Without ids, it is the sum over all that have no row of
/// their own.
struct SatelliteRow {
  std::optional<SatelliteId> satellite_id;
  std::optional<ChannelId> channel_id;
  bool silent = false;
  std::optional<std::chrono::seconds> age;  ///< of the last frame
  std::optional<double> rate;               ///< frames per second
  std::uint64_t frames = 0;
  std::uint64_t bytes = 0;
  std::array<Counter, all_losses.size()> losses;

  [[nodiscard]] const Counter& loss(Loss which) const {
    return losses.at(static_cast<std::size_t>(which));
  }
};

struct UplinkRow {
  std::uint64_t id = 0;
  std::string peer;
  std::string listener;
  std::string connected_at;  ///< RFC 3339
  bool held = false;
  std::optional<std::chrono::seconds> age;  ///< of the last frame; no value if none has come
  std::optional<double> rate;               ///< frames per second
  std::uint64_t frames = 0;
  std::uint64_t bytes = 0;
};

struct Figures {
  std::chrono::steady_clock::time_point taken{};
  ReceiveTime at{};
  double uptime_s = 0;

  LedgerFigures ledger;
  std::uint64_t bytes = 0;     ///< octets received, of all satellites
  std::optional<Rates> rates;  ///< no value if there is no earlier poll to compare with
  Level buffer_frames;
  Level buffer_bytes;
  Level channel;  ///< batches
  std::uint64_t channel_high_water = 0;

  std::uint64_t uplinks_open = 0;
  std::uint64_t uplinks_held = 0;
  std::uint64_t satellite_count = 0;
  bool has_others = false;          ///< there are more satellites than are tracked
  std::vector<SatelliteId> silent;  ///< sorted

  std::vector<Reason> drops;
  std::vector<Reason> malformed;  ///< and one for truncated streams
  std::vector<SatelliteRow> satellites;
  std::vector<UplinkRow> uplinks;
};

/// The figures of a poll. `before` has the figures of the poll before it, or is null. They are
/// compared only if the daemon has not restarted since. Throws nlohmann::json::exception if an
/// answer lacks a field of docs/reference/control-methods.md.
[[nodiscard]] Figures figures_of(const Poll& poll, const Figures* before);

}  // namespace meridian::top
