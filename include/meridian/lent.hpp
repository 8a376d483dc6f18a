/// Frames that an aggregator has lent: for a caller that must first see whether it can pass them
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

namespace meridian::inline v2 {

/// Frames that were taken out of the buffer on loan. `settle` or `put_back` ends the loan and
/// consumes the object; destroying the object also puts the frames back. Until then the frames keep
/// their room under `WhenFull::backpressure`, so that they can go back.
///
/// Ownership: moved, never copied. Keeps the aggregator alive. Lifetime: must not outlive the
/// execution context. Thread-safety: must not be used from several threads at the same time.
/// Errors: Errc::aggregator_shut_down, Errc::reply_dropped. Cancellation: a cancelled call fails
/// with asio::error::operation_aborted, but is carried out.
class Lent {
 public:
  /// Holds nothing.
  Lent() noexcept = default;
  Lent(Lent&& other) noexcept = default;
  Lent& operator=(Lent&& other) noexcept;
  ~Lent();

  [[nodiscard]] const Drained& frames() const noexcept { return frames_; }

  /// Lets go of the frames for good.
  [[nodiscard]] asio::awaitable<error_code> settle() &&;

  /// Puts the frames back in their old places. If the buffer has filled up meanwhile, its policy
  /// applies. Under `WhenFull::backpressure` no frame is lost; until the next drain the buffer may
  /// exceed its limits by the frames that had been taken from the channel ahead of others.
  ///
  /// The frames of each satellite are in their old order again. If only one satellite was drained,
  /// its frames may now precede those of others that came with them: in the same read, or in the
  /// same group of up to 64 small reads.
  [[nodiscard]] asio::awaitable<error_code> put_back() &&;

 private:
  friend class AggregatorHandle;

  Lent(std::shared_ptr<const AggregatorHandle::Port> port, bool keep_room) noexcept
      : port_(std::move(port)), keep_room_(keep_room) {}

  // Null if there is nothing left to settle or put back.
  std::shared_ptr<const AggregatorHandle::Port> port_;
  Drained frames_;
  bool keep_room_ = false;
};

}  // namespace meridian::inline v2
