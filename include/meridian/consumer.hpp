/// Consumers read the buffer without taking frames out of it, each at its own position. They are
/// for programs that must get every frame, and want frames to stay in the buffer until then.
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
  std::vector<BufferedBatch> batches;  ///< those with attempted frames, if still there
};

/// Reads the buffer without taking frames out of it: see ConsumerOptions.
///
/// A batch is read once. It stays in the buffer, at its place, until every consumer has
/// acknowledged it, and then counts as delivered. It leaves the buffer earlier if it is drained or
/// flushed, or if it makes room for new frames. It can make room once no consumer that holds still
/// needs it. A consumer that has not read it by then skips it, and the skip is counted. What was
/// read stays valid whatever happens to it in the buffer, and still has to be acknowledged.
///
/// Bounds: `next` returns second references. What was read and not acknowledged makes room for new
/// frames only when nothing else can. So it should be a small part of the buffer.
///
/// Ownership: there is one `Consumer` of each name at a time. Move-only. Keeps the aggregator
/// alive. Lifetime: must not outlive the execution context. Thread-safety: must not be used from
/// several threads at the same time. Errors: Errc::aggregator_shut_down, Errc::reply_dropped.
class Consumer {
 public:
  Consumer(Consumer&&) noexcept = default;
  Consumer& operator=(Consumer&&) noexcept = default;
  Consumer(const Consumer&) = delete;
  Consumer& operator=(const Consumer&) = delete;
  ~Consumer() = default;

  /// Differs from the epoch of every other aggregator, even of one that restores the same saved
  /// state: a state may be restored twice, by a copy of a machine or after a roll-back. Epoch and
  /// place together therefore identify, for good, every frame that is handed on from now on.
  [[nodiscard]] std::uint64_t epoch() const noexcept { return epoch_; }

  /// Reads what was attempted before the restart. Must be called before `next`; otherwise `next`
  /// reads those frames as if they had not been attempted.
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

  // Also holds the claim to the name, which lasts as long as this object and its calls in progress.
  std::shared_ptr<const AggregatorHandle::Port> port_;
  std::size_t id_;
  std::uint64_t epoch_;
};

}  // namespace meridian::inline v2
