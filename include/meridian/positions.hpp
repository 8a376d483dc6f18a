/// Where those stand who read the buffer along: see <meridian/consumer.hpp>.
///
/// Stable: see <meridian/version.hpp>.
#pragma once

#include <meridian/frame.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace meridian::inline v1 {

/// Consecutive places in the buffer. Every frame that goes in gets the next place, and keeps it.
struct PlaceRange {
  std::uint64_t first = 0;
  std::uint64_t frames = 0;

  [[nodiscard]] std::uint64_t end() const noexcept { return first + frames; }
  friend bool operator==(const PlaceRange&, const PlaceRange&) = default;
};

/// What a consumer had handed on and not yet acknowledged when it stopped: the frames of `origin`
/// in `ranges`, of which there were `frames`. Kept over a restart, so that the same can be handed
/// on once more, as one.
struct Attempt {
  Origin origin;
  std::vector<PlaceRange> ranges;  ///< from the first such frame in a batch to the last one
  std::uint64_t frames = 0;
  /// The Consumer::epoch in which they were first handed on, and are known by; 0: they have not
  /// been, and only have to go before what was not read.
  std::uint64_t epoch = 0;

  friend bool operator==(const Attempt&, const Attempt&) = default;
};

/// One who is to have every frame that is in the buffer, or goes into it.
struct ConsumerOptions {
  std::string name;  ///< by which its position is found again after a restart
  /// Whether frames stay in the buffer until it has acknowledged them, whatever the policy for a
  /// full buffer is (which is not to be WhenFull::drop_oldest then). Otherwise frames that only
  /// such consumers still need make room for new ones, the oldest first.
  bool hold = true;
};

/// Why a consumer did not get a frame. Counted per reason.
enum class Skip : std::uint8_t {
  buffer_full,  ///< it made room
  drained,      ///< somebody else has it
  flushed,      ///< discarded on demand
};
inline constexpr std::array all_skips{Skip::buffer_full, Skip::drained, Skip::flushed};
[[nodiscard]] std::string_view name_of(Skip reason) noexcept;

/// An amount of frames.
struct Depth {
  std::uint64_t frames = 0;
  std::uint64_t bytes = 0;  ///< octets, headers included

  friend bool operator==(const Depth&, const Depth&) = default;
};

struct ConsumerStats {
  std::string name;
  bool hold = true;
  Depth lag;        ///< to be read, or acknowledged, and still held: in the buffer, lent or leased
  Depth in_flight;  ///< read, and not acknowledged; also if drained since
  std::optional<ReceiveTime> oldest;  ///< of the lag; nothing where there is none
  Depth acknowledged;                 ///< since the start, as the following
  std::array<std::uint64_t, all_skips.size()> skipped{};
  Depth unread{};  ///< of the lag, what was not read
};

/// The position of a consumer, over a restart.
struct SavedConsumer {
  std::string name;
  std::uint64_t next_place = 0;    ///< everything from here on is unread
  std::vector<PlaceRange> unread;  ///< before that
  std::vector<Attempt> attempts;

  friend bool operator==(const SavedConsumer&, const SavedConsumer&) = default;
};

/// What makes places mean the same after a restart.
struct SavedPositions {
  std::uint64_t epoch = 0;       ///< the last Consumer::epoch
  std::uint64_t next_place = 0;  ///< of the next frame
  std::vector<SavedConsumer> consumers;

  friend bool operator==(const SavedPositions&, const SavedPositions&) = default;
};

}  // namespace meridian::inline v1
