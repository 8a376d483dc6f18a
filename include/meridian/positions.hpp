/// Where consumers stand in the buffer: see <meridian/consumer.hpp>.
///
/// Stable: see <meridian/version.hpp>.
#pragma once

#include <meridian/amount.hpp>
#include <meridian/frame.hpp>
#include <meridian/named.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace meridian::inline v2 {

/// Consecutive places in the buffer. Every frame that goes in gets the next place, and keeps it.
struct PlaceRange {
  std::uint64_t first = 0;
  std::uint64_t frames = 0;

  [[nodiscard]] std::uint64_t end() const noexcept { return first + frames; }
  friend bool operator==(const PlaceRange&, const PlaceRange&) = default;
};

/// What a consumer had handed on, and not yet acknowledged, when it stopped: the frames of `origin`
/// in `ranges`, `frames` in number. Kept across a restart, so that the consumer can hand on the
/// same frames again, as one unit.
struct Attempt {
  Origin origin;
  std::vector<PlaceRange> ranges;  ///< each from the first such frame in a batch to the last one
  std::uint64_t frames = 0;
  /// The Consumer::epoch in which they were first handed on, and by which they are known. 0: they
  /// have not been handed on, and only have to go before what was not read.
  std::uint64_t epoch = 0;

  friend bool operator==(const Attempt&, const Attempt&) = default;
};

/// A consumer. It is to get every frame that is in the buffer, or goes into it.
struct ConsumerOptions {
  std::string name;  ///< identifies its position after a restart
  /// Whether frames stay in the buffer until it has acknowledged them, whatever the policy for a
  /// full buffer. (The policy must not be WhenFull::drop_oldest then.) Otherwise frames that only
  /// such consumers still need make room for new ones, oldest first.
  bool hold = true;
};

/// Why a consumer did not get a frame. Counted per reason.
enum class Skip : std::uint8_t {
  buffer_full,
  drained,
  flushed,
};
inline constexpr std::array<Named<Skip>, 3> skips{{
    {Skip::buffer_full, "buffer_full", "The frames made room for newer ones (`skip_oldest`)."},
    {Skip::drained, "drained", "A client drained the frames, or committed a lease of them."},
    {Skip::flushed, "flushed", "The frames were flushed."},
}};
inline constexpr auto all_skips = values_of(skips);
[[nodiscard]] constexpr std::string_view name_of(Skip reason) noexcept {
  return name_in(skips, reason);
}

struct ConsumerStats {
  std::string name;
  bool hold = true;
  Amount lag;        ///< unread or not acknowledged, and still held: in the buffer, lent or leased
  Amount in_flight;  ///< read and not acknowledged, even if drained since
  std::optional<ReceiveTime> oldest;  ///< of the lag; nothing if there is none
  Amount acknowledged;                ///< since the start, like `skipped`
  std::array<std::uint64_t, all_skips.size()> skipped{};
  Amount unread{};  ///< the part of the lag that was not read
};

/// The position of a consumer, kept across a restart.
struct SavedConsumer {
  std::string name;
  std::uint64_t next_place = 0;    ///< everything from here on is unread
  std::vector<PlaceRange> unread;  ///< what is unread before that
  std::vector<Attempt> attempts;

  friend bool operator==(const SavedConsumer&, const SavedConsumer&) = default;
};

/// What gives places the same meaning after a restart.
struct SavedPositions {
  std::uint64_t epoch = 0;       ///< the last Consumer::epoch
  std::uint64_t next_place = 0;  ///< of the next frame
  std::vector<SavedConsumer> consumers;

  friend bool operator==(const SavedPositions&, const SavedPositions&) = default;
};

}  // namespace meridian::inline v2
