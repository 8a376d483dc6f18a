/// How far consumers have read the buffer: see <meridian/consumer.hpp>.
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

/// What a consumer had handed on as one unit, or was about to hand on, and had not acknowledged
/// when it stopped: the frames of `origin` in `ranges`, `frames` in number. An attempt is kept
/// across a restart, so that the consumer can hand on the same frames again.
struct Attempt {
  Origin origin;
  std::vector<PlaceRange> ranges;  ///< in each batch, from the first of these frames to the last
  std::uint64_t frames = 0;
  /// The Consumer::epoch in which the frames were first handed on; with their places, it identifies
  /// them. 0: they have not been handed on yet, and only have to precede what was not read.
  std::uint64_t epoch = 0;

  friend bool operator==(const Attempt&, const Attempt&) = default;
};

/// A consumer: it gets every frame that is in the buffer or goes into it.
struct ConsumerOptions {
  std::string name;  ///< identifies its position after a restart
  /// Whether frames stay in the buffer until this consumer has acknowledged them, whatever the
  /// policy for a full buffer. That policy must not be WhenFull::drop_oldest then. Frames that only
  /// consumers without `hold` still need make room for new ones, oldest first.
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
  /// When the oldest frame of the lag was received. Nothing if there is no lag, or if all of it is
  /// unread and is lent or leased.
  std::optional<ReceiveTime> oldest;
  Amount acknowledged;  ///< since the start, like `skipped`
  std::array<std::uint64_t, all_skips.size()> skipped{};
  Amount unread{};  ///< the part of the lag that was not read
};

/// The position of a consumer, kept across a restart.
struct SavedConsumer {
  std::string name;
  std::uint64_t next_place = 0;    ///< everything from here on is unread
  std::vector<PlaceRange> unread;  ///< what is unread before `next_place`
  std::vector<Attempt> attempts;

  friend bool operator==(const SavedConsumer&, const SavedConsumer&) = default;
};

/// What gives places the same meaning after a restart.
struct SavedPositions {
  std::uint64_t epoch = 0;       ///< the last Consumer::epoch
  std::uint64_t next_place = 0;  ///< the place that the next frame gets
  std::vector<SavedConsumer> consumers;

  friend bool operator==(const SavedPositions&, const SavedPositions&) = default;
};

}  // namespace meridian::inline v2
