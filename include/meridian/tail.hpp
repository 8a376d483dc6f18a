/// Watching frames as they come, without taking them from the buffer.
///
///     auto tail = co_await aggregator.tail({.satellite_id = 7});
///     while (auto piece = co_await tail->next()) { … }
///
/// Stable: see <meridian/version.hpp>.
#pragma once

#include <meridian/aggregator.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/system/result.hpp>

#include <cstdint>
#include <memory>
#include <vector>

namespace meridian::inline v1 {

/// What has come since the piece before.
struct TailPiece {
  /// The oldest first. May hold frames that were not asked for beside those that were: whether a
  /// frame is meant, `TailQuery::matches` says.
  std::vector<FrameBatch> batches;
  std::uint64_t lost = 0;  ///< frames asked for that came behind these and are not kept
};

/// Follows the frames that an aggregator receives, from the moment at which it was made: those that
/// go into the buffer and those that its policy drops, but not those given up before the channel.
///
/// Bounds: what waits for `next` is at most `TailQuery::max_bytes` of memory and one batch more; a
/// watcher that is slower loses what comes then, and is told how much. It slows nobody down: one to
/// whom nothing can be added is not looked at, so that a batch costs the same however many there
/// are. Watchers of satellites or channels, full or not, cost three look-ups for each run of a
/// batch.
///
/// Ownership: ends the watch when it is destroyed. Keeps the aggregator alive. Lifetime: must not
/// outlive the execution context. Thread-safety: `end` may be called from any thread, the rest not
/// at the same time. Errors: Errc::aggregator_shut_down, Errc::reply_dropped.
class Tail {
 public:
  Tail(Tail&&) noexcept = default;
  Tail& operator=(Tail&&) = delete;
  ~Tail();

  /// Waits until something has come. One call at a time.
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

}  // namespace meridian::inline v1
