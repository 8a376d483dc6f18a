/// Watching frames as they arrive, without taking them out of the buffer.
///
///     auto tail = co_await aggregator.tail({.satellite_id = 7});
///     while (auto piece = co_await tail->next()) { … }
///
/// Stable: see <meridian/version.hpp>.
#pragma once

#include <meridian/aggregator.hpp>
#include <meridian/frame.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/system/result.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace meridian::inline v2 {

/// Which frames to watch.
struct TailQuery {
  std::optional<SatelliteId> satellite_id{};  ///< nothing: of all satellites
  std::optional<ChannelId> channel_id{};      ///< nothing: of all channels
  std::size_t max_bytes = 262'144;            ///< memory that may wait for the watcher, at least 1

  [[nodiscard]] bool matches(Origin origin) const noexcept {
    return satellite_id.value_or(origin.satellite_id) == origin.satellite_id &&
           channel_id.value_or(origin.channel_id) == origin.channel_id;
  }
};

/// What has arrived since the previous piece.
struct TailPiece {
  /// Oldest first. The batches may also hold frames that were not asked for: `TailQuery::matches`
  /// tells which were.
  std::vector<FrameBatch> batches;
  std::uint64_t lost = 0;  ///< frames that were asked for, came after these and were not kept
};

/// Follows the frames that an aggregator receives from the moment at which the tail is created. It
/// sees frames that go into the buffer and frames that the policy drops, but not frames that a
/// session gives up.
///
/// Bounds: at most `TailQuery::max_bytes` of memory, and one batch more, waits for `next`. A
/// watcher that is slower loses what arrives after that, and is told how many frames. It slows
/// nothing down: the aggregator does not look at full watchers, so a batch costs the same however
/// many there are. Watchers of a satellite or a channel, full or not, cost three look-ups for each
/// run of a batch.
///
/// Ownership: ends the watch when it is destroyed. Keeps the aggregator alive. Lifetime: must not
/// outlive the execution context. Thread-safety: `end` may be called from any thread; the rest must
/// not be used from several threads at the same time. Errors: Errc::aggregator_shut_down,
/// Errc::reply_dropped.
class Tail {
 public:
  Tail(Tail&&) noexcept = default;
  Tail& operator=(Tail&&) = delete;
  ~Tail();

  /// Waits until something has arrived. One call at a time.
  /// Cancellation: fails with asio::error::operation_aborted; what has not been handed over is
  /// there for the next call. Once a piece is on its way the call succeeds.
  [[nodiscard]] asio::awaitable<boost::system::result<TailPiece>> next();

  /// Ends the watch: a `next` that waits fails with Errc::reply_dropped, as does every later one.
  void end() const;

 private:
  friend class AggregatorHandle;

  struct Watch;
  explicit Tail(std::shared_ptr<const Watch> watch) noexcept : watch_(std::move(watch)) {}

  std::shared_ptr<const Watch> watch_;
};

}  // namespace meridian::inline v2
