/// Frames that an aggregator has lent out: for those who must see first whether they can be passed
/// on.
///
///     meridian::Lent lent = (co_await aggregator.lend({.max_frames = 1000})).value();
///     if (co_await write(lent.frames())) {
///       co_await std::move(lent).settle();
///     }  // else they go back to their place in the buffer
///
/// Stable: see <meridian/version.hpp>.
#pragma once

#include <meridian/aggregator.hpp>

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <utility>

namespace meridian::inline v1 {

/// Frames that were taken out of the buffer and are settled or put back, once: by one of the calls,
/// each of which consumes it, or by its destruction, which puts them back. Until then they keep
/// their room under `WhenFull::backpressure`, so that they can come back.
///
/// Ownership: moved, never copied. Keeps the aggregator alive. Lifetime: must not outlive the
/// execution context. Thread-safety: not at the same time from several threads. Errors:
/// Errc::aggregator_shut_down, Errc::reply_dropped. Cancellation: fails with
/// asio::error::operation_aborted, and is carried out.
class Lent {
 public:
  /// Nothing.
  Lent() noexcept = default;
  Lent(Lent&& other) noexcept = default;
  Lent& operator=(Lent&& other) noexcept;
  ~Lent();

  [[nodiscard]] const Drained& frames() const noexcept { return frames_; }

  /// They do not come back.
  [[nodiscard]] asio::awaitable<error_code> settle() &&;

  /// Puts them back in their old place: where the buffer has filled up meanwhile, its policy
  /// applies. Under `WhenFull::backpressure` none is lost; the buffer may stand above its bounds by
  /// what was let in past them, until the next drain. The frames of each satellite are in their old
  /// order again; after a drain of one satellite its frames may stand before those of others that
  /// came in the same read, or in one of up to 64 small reads.
  [[nodiscard]] asio::awaitable<error_code> put_back() &&;

 private:
  friend class AggregatorHandle;

  Lent(std::shared_ptr<const AggregatorHandle::Port> port, bool keep_room) noexcept
      : port_(std::move(port)), keep_room_(keep_room) {}

  // Without one there is nothing to be settled: moved from, or settled.
  std::shared_ptr<const AggregatorHandle::Port> port_;
  Drained frames_;
  bool keep_room_ = false;
};

}  // namespace meridian::inline v1
