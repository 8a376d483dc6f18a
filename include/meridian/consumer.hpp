/// Reading the buffer along, at a position of one's own: for those who must have every frame, and
/// keep it in the buffer until they do.
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

namespace meridian::inline v1 {

/// What a consumer begins with after a restart.
struct Resumed {
  std::vector<Attempt> attempts;
  std::vector<BufferedBatch> batches;  ///< in the ranges of the attempts, as far as they are there
};

/// One who reads the buffer without taking frames from it: see ConsumerOptions.
///
/// A batch is read once. It stays in the buffer, at its place, until this consumer and every other
/// has acknowledged it (it counts as delivered then), or until it is drained, flushed or, for a
/// consumer that does not hold, dropped: what had not been read by then is skipped, and counted.
/// What was read stays valid whatever becomes of it in the buffer, and is acknowledged all the
/// same.
///
/// Bounds: `next` gives second references; what was read and not acknowledged is not dropped by the
/// buffer's policy as long as anything else is there, so it should be a small part of the buffer.
///
/// Ownership: there is one at a time of each name, which can be moved and not copied. Keeps the
/// aggregator alive. Lifetime: must not outlive the execution context. Thread-safety: not at the
/// same time from several threads. Errors: Errc::aggregator_shut_down, Errc::reply_dropped.
class Consumer {
 public:
  Consumer(Consumer&&) noexcept = default;
  Consumer& operator=(Consumer&&) noexcept = default;
  Consumer(const Consumer&) = delete;
  Consumer& operator=(const Consumer&) = delete;
  ~Consumer() = default;

  /// Differs from that of every other aggregator, also of one that takes up the same saved state:
  /// a state may be taken up twice, by a copy of a machine or after a roll-back. So a place and an
  /// epoch name a frame for good, for what is handed on from now on.
  [[nodiscard]] std::uint64_t epoch() const noexcept { return epoch_; }

  /// What was attempted before the restart, and is read by this call. To be called before `next`,
  /// which otherwise reads it as if it had not been attempted.
  [[nodiscard]] asio::awaitable<boost::system::result<Resumed>> resume();

  /// Waits until there are frames that were not read, and reads the oldest of them: whole batches,
  /// at least one, and not more than `max_bytes` if there are several. One call at a time.
  /// Cancellation: fails with asio::error::operation_aborted; what has not been handed over is
  /// read by the next call.
  [[nodiscard]] asio::awaitable<boost::system::result<std::vector<BufferedBatch>>> next(
      std::size_t max_bytes);

  /// These batches, each as it was read, are where they were to go.
  [[nodiscard]] asio::awaitable<error_code> acknowledge(std::vector<PlaceRange> batches);

  /// Before a stop, instead of any other call: what was read and is not part of an attempt is
  /// unread again; a `next` that waits fails with Errc::reply_dropped.
  [[nodiscard]] asio::awaitable<error_code> suspend(std::vector<Attempt> attempts);

 private:
  friend class AggregatorHandle;

  Consumer(std::shared_ptr<const AggregatorHandle::Port> port, std::size_t id, std::uint64_t epoch)
      : port_(std::move(port)), id_(id), epoch_(epoch) {}

  // Also what the aggregator knows this one by: it, and its calls in progress, are the consumer.
  std::shared_ptr<const AggregatorHandle::Port> port_;
  std::size_t id_;
  std::uint64_t epoch_;
};

}  // namespace meridian::inline v1
