/// Consumers read the buffer without taking frames out of it, each at its own position. For readers
/// that must get every frame, and keep frames in the buffer until they have them.
///
///     meridian::Consumer archive = (co_await aggregator.consume("archive")).value();
///     while (auto read = co_await archive.next(1'000'000)) {
///       std::vector<meridian::PlaceRange> stored;
///       for (const meridian::BufferedBatch& buffered : *read) {
///         … store buffered.batch …
///         stored.push_back(buffered.places());
///       }
///       co_await archive.acknowledge(std::move(stored));
///     }
///
/// Stable: see <meridian/version.hpp>.
#pragma once

#include <meridian/aggregator.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/system/result.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace meridian::inline v2 {

/// What a consumer starts with after a restart.
struct Resumed {
  std::vector<Attempt> attempts;
  std::vector<BufferedBatch> batches;  ///< those in the ranges of the attempts that are still there
};

/// Reads the buffer without taking frames out of it: see ConsumerOptions.
///
/// A batch is read once. It stays in the buffer, at its place, until every consumer has
/// acknowledged it, and then counts as delivered. It leaves the buffer earlier if it is drained or
/// flushed or, for a consumer that does not hold, dropped. A consumer that has not read it by then
/// skips it, and the skip is counted. What was read stays valid whatever happens to it in the
/// buffer, and still has to be acknowledged.
///
/// Bounds: `next` returns second references. The buffer's policy does not drop what was read and
/// not acknowledged as long as anything else is there, so it should be a small part of the buffer.
///
/// Ownership: there is one of each name at a time. Move-only. Keeps the aggregator alive. Lifetime:
/// must not outlive the execution context. Thread-safety: must not be used from several threads at
/// the same time. Errors: Errc::aggregator_shut_down, Errc::reply_dropped.
class Consumer {
 public:
  Consumer(Consumer&&) noexcept = default;
  Consumer& operator=(Consumer&&) noexcept = default;
  Consumer(const Consumer&) = delete;
  Consumer& operator=(const Consumer&) = delete;
  ~Consumer() = default;

  /// Differs from the epoch of every other aggregator, even of one that restores the same saved
  /// state: a state may be restored twice, by a copy of a machine or after a roll-back. Together, a
  /// place and an epoch therefore identify a frame for good, for everything handed on from now on.
  [[nodiscard]] std::uint64_t epoch() const noexcept { return epoch_; }

  /// Reads what was attempted before the restart. Must be called before `next`, which otherwise
  /// reads it as if it had not been attempted.
  [[nodiscard]] asio::awaitable<boost::system::result<Resumed>> resume();

  /// Waits until there are unread frames, and reads the oldest of them: whole batches, at least
  /// one, and not more than `max_bytes` octets if there are several. One call at a time.
  /// Cancellation: fails with asio::error::operation_aborted; what has not been handed over is
  /// read by the next call.
  [[nodiscard]] asio::awaitable<boost::system::result<std::vector<BufferedBatch>>> next(
      std::size_t max_bytes);

  /// Acknowledges batches, each as it was read: they have reached their destination.
  [[nodiscard]] asio::awaitable<error_code> acknowledge(std::vector<PlaceRange> batches);

  /// The last call before a stop. What was read and is not part of an attempt becomes unread again;
  /// a `next` that is waiting fails with Errc::reply_dropped.
  [[nodiscard]] asio::awaitable<error_code> suspend(std::vector<Attempt> attempts);

 private:
  friend class AggregatorHandle;

  Consumer(std::shared_ptr<const AggregatorHandle::Port> port, std::size_t id, std::uint64_t epoch)
      : port_(std::move(port)), id_(id), epoch_(epoch) {}

  // Also the claim to the name: it lasts as long as this object and its calls in progress.
  std::shared_ptr<const AggregatorHandle::Port> port_;
  std::size_t id_;
  std::uint64_t epoch_;
};

}  // namespace meridian::inline v2
