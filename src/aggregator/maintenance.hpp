/// What only the daemon asks of its aggregator. For what everybody may ask, see
/// <meridian/aggregator.hpp>.
#pragma once

#include "aggregator/reports.hpp"

#include <meridian/aggregator.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace meridian::inline v2::aggregator {

/// Calls for the program that runs the aggregator. Each call keeps the aggregator alive, even after
/// this object is gone. Thread-safety, errors and cancellation: as AggregatorHandle.
class Maintenance {
 public:
  template <typename T>
  using Result = AggregatorHandle::Result<T>;

  explicit Maintenance(const AggregatorHandle& aggregator) : port_(aggregator.port_) {}

  /// Tells the aggregator for how long frames could arrive since the last call. Forgets the origins
  /// from which no frame came for `limit`, and returns how many there were. Goes in steps.
  [[nodiscard]] asio::awaitable<Result<std::uint64_t>> forget_idle(
      std::chrono::milliseconds elapsed, std::chrono::milliseconds limit) const;

  /// What was dropped since the last call.
  [[nodiscard]] asio::awaitable<Result<DropReport>> take_drop_report() const;

  /// The highest levels since the last call.
  [[nodiscard]] asio::awaitable<Result<Peaks>> take_peaks() const;

  /// Restores what another aggregator has left. For a new aggregator, before anything is sent to
  /// it. The frames come first in the buffer, in their order, and its policy applies to them. Under
  /// `WhenFull::backpressure` none is dropped, and the buffer may exceed its limits. Frames that
  /// are missing, although the ledger counts them as buffered, count as dropped
  /// (`DropReason::not_restored`). Without a ledger, or with one that does not fit the frames, the
  /// frames count as received.
  [[nodiscard]] asio::awaitable<Result<AggregatorStats>> restore(SavedState saved) const;

  /// Changes the limits. They apply to what is already in the buffer, too: the policy drops what
  /// exceeds them, or lets nothing in until that has been drained. A lower `max_tracked` forgets no
  /// origin.
  [[nodiscard]] asio::awaitable<error_code> set_limits(
      BufferLimits limits, std::size_t max_tracked,
      std::uint32_t reset_after = default_reset_after) const;

  /// To be called before a stop. From now on a full buffer holds nothing back, so that sessions can
  /// hand over what they have read and the channel empties. The limits are exceeded by at most that
  /// much.
  [[nodiscard]] asio::awaitable<error_code> release_backpressure() const;

 private:
  std::shared_ptr<const AggregatorHandle::Port> port_;
};

}  // namespace meridian::inline v2::aggregator
