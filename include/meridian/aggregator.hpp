/// The aggregator: an actor that is the sole owner of the frame buffer, and the handle through
/// which everything else uses it.
///
///     meridian::AggregatorHandle aggregator = meridian::spawn_aggregator(executor, {});
///     co_await aggregator.send(std::move(batch));
///     auto depth = co_await aggregator.depth();
///
/// Two properties hold, whatever the load and the overflow policy:
/// - Read your writes: a request sees every frame whose send had completed before the request was
///   sent.
/// - Control never waits behind data: with the buffer full under `WhenFull::backpressure`, `depth`
///   still answers and `drain` still frees room.
///
/// Source: the telemetry aggregator of "Async Rust", chapter 8.
///
/// Stable: see <meridian/version.hpp>.
#pragma once

#include <meridian/accounting.hpp>
#include <meridian/aggregator_options.hpp>
#include <meridian/amount.hpp>
#include <meridian/channel.hpp>
#include <meridian/drained.hpp>
#include <meridian/errors.hpp>
#include <meridian/frame_batch.hpp>
#include <meridian/origins.hpp>
#include <meridian/saved_state.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/system/result.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace meridian::inline v2 {

namespace aggregator {
class Maintenance;
}  // namespace aggregator

class Lent;
class Tail;
class Consumer;
struct TailQuery;

/// Access to the aggregator. All calls may fail with Errc::aggregator_shut_down, and all but `send`
/// and `try_send` also with Errc::reply_dropped.
///
/// Ownership: copies share the aggregator. It ends when `shut_down` is called. It also ends when
/// the last copy is destroyed, and then what is in the buffer is lost. A call in progress keeps it
/// alive. Lifetime: no handle may outlive the execution context. Thread-safety: copies and const
/// members may be used on any thread. Cancellation: a cancelled call
/// (asio::error::operation_aborted) may or may not have been carried out. The frames of a cancelled
/// drain stay in the buffer, or go back to their places.
class AggregatorHandle {
 public:
  template <typename T>
  using Result = boost::system::result<T>;

  /// Hands over a batch. Waits while the channel is full, or counts as full: see `drain`.
  [[nodiscard]] asio::awaitable<error_code> send(FrameBatch batch) const;

  /// Hands over a batch if there is room now. Returns nothing, or the batch with
  /// Errc::channel_full or Errc::aggregator_shut_down.
  [[nodiscard]] std::optional<Refused<FrameBatch>> try_send(FrameBatch batch) const;

  /// For a batch that its session gives up after `try_send` returned channel_full: counts it as
  /// received and as dropped. Returns once it is counted, so that the session's next batch comes
  /// after it.
  [[nodiscard]] asio::awaitable<error_code> give_up(FrameBatch batch) const;

  [[nodiscard]] asio::awaitable<Result<Amount>> depth() const;

  /// Takes frames out of the buffer. Sees everything that was sent before, including what
  /// backpressure holds in the channel. Done in steps, between which other requests are served.
  ///
  /// In the channel, the frames of a satellite that is drained pass those of others, for which
  /// there is no room. Those others leave the channel and wait in front of the buffer, but still
  /// count as if they were in the channel. While it counts as full, `send` waits and `try_send`
  /// refuses, so that such drains do not each let in another channelful.
  [[nodiscard]] asio::awaitable<Result<Drained>> drain(DrainQuery query) const;

  /// Like `drain`, for frames that may be put back: see <meridian/lent.hpp>. A query for all
  /// satellites sees what backpressure holds in the channel only if the buffer is within its
  /// limits.
  [[nodiscard]] asio::awaitable<Result<Lent>> lend(DrainQuery query) const;

  /// Takes frames out of the buffer, and keeps them aside until the lease ends. Until then they
  /// count as leased, and against the buffer's limits.
  ///
  /// A lease of all satellites therefore does not see what backpressure holds in the channel; a
  /// later one does, once there is room. A lease of one satellite lets its frames pass those of
  /// others, as `drain` does, until the leased frames alone reach the limits.
  ///
  /// After `release`, and when the lease expires, the frames go back to their places, marked
  /// (`FrameBatch::redelivered`). Under `WhenFull::drop_oldest` the oldest lease is evicted if new
  /// frames find no room beside the leased ones, or if narrower limits have no room for what is
  /// leased. In the latter case its newest frames go back, as far as they fit.
  [[nodiscard]] asio::awaitable<Result<Leased>> lease(LeaseQuery query) const;

  /// Ends a lease: from now on its frames count as drained. Returns how much that is. Fails with
  /// Errc::lease_expired or Errc::lease_evicted if the lease has ended in that way; the aggregator
  /// remembers the newest 4,096 such leases. Fails with Errc::lease_unknown for every other lease
  /// that is not open, such as one that was committed or released before.
  [[nodiscard]] asio::awaitable<Result<Amount>> commit(LeaseId id) const;

  /// Ends a lease and puts its frames back: every later request sees them. Fails as `commit` does.
  [[nodiscard]] asio::awaitable<Result<Amount>> release(LeaseId id) const;

  /// Watches frames as they arrive: see <meridian/tail.hpp>.
  [[nodiscard]] asio::awaitable<Result<Tail>> tail(TailQuery query) const;

  /// Claims the consumer of that name in `AggregatorOptions::consumers`. Fails with
  /// Errc::consumer_unknown if there is none, and with Errc::consumer_claimed as long as the
  /// `Consumer` of an earlier call exists, or a call on it is in progress. What the earlier
  /// `Consumer` had read and not acknowledged is unread again.
  [[nodiscard]] asio::awaitable<Result<Consumer>> consume(std::string name) const;

  /// Discards what is in the buffer and in the channel. Returns how many frames that were.
  [[nodiscard]] asio::awaitable<Result<std::uint64_t>> flush() const;

  [[nodiscard]] asio::awaitable<Result<AggregatorStats>> stats() const;

  /// All origins, in the order in which they were first heard. An origin that has taken the place
  /// of a forgotten one comes at that place. The sum over those beyond `max_tracked` comes last, if
  /// there are any.
  [[nodiscard]] asio::awaitable<Result<std::vector<OriginStats>>> origins() const;

  /// A part of the list that `origins()` returns, from index `from` on: `count` rows, or fewer at
  /// the end of the list. Each call walks the list from its beginning, and an index shifts when
  /// origins are forgotten. To read the whole list in parts, use `origin_page`.
  [[nodiscard]] asio::awaitable<Result<std::vector<OriginStats>>> origins(std::size_t from,
                                                                          std::size_t count) const;

  /// The origins at the places from `from` on: at most `count` places of that list. The last part
  /// also has the sum over those beyond `max_tracked`. The list may change between two calls; an
  /// origin that is in it throughout appears once.
  [[nodiscard]] asio::awaitable<Result<OriginPage>> origin_page(std::size_t from,
                                                                std::size_t count) const;

  /// The sum over all origins that have or had the places from `from` on, and over those beyond
  /// `max_tracked`. It has no `origin`. Done in steps. Apart from unsettled frames, no figure is
  /// lower in a later sum.
  [[nodiscard]] asio::awaitable<Result<OriginStats>> sum_origins(std::size_t from) const;

  /// Forgets what is known of a satellite, or of one of its channels. The satellite or channel has
  /// no row any more, and counts as new when it is heard again. Its frames stay where they are, and
  /// sums keep what was counted for it. Returns how many channels were forgotten. Done in steps.
  [[nodiscard]] asio::awaitable<Result<std::uint64_t>> forget(
      SatelliteId satellite_id, std::optional<ChannelId> channel_id) const;

  /// Ends the aggregator for all handles: takes in what is in the channel, even beyond the limits,
  /// and returns the final statistics and everything that it still holds. From now on other calls
  /// fail with Errc::aggregator_shut_down, including sends that are waiting. Calls whose request
  /// was already on its way fail with Errc::reply_dropped.
  [[nodiscard]] asio::awaitable<Result<FinalState>> shut_down() const;

 private:
  friend AggregatorHandle spawn_aggregator(const asio::any_io_executor&, const AggregatorOptions&);
  friend class Lent;
  friend class Tail;
  friend class Consumer;
  friend class aggregator::Maintenance;

  struct Port;
  explicit AggregatorHandle(std::shared_ptr<const Port> port) noexcept : port_(std::move(port)) {}

  std::shared_ptr<const Port> port_;
};

/// Starts an aggregator on a strand of its own over `executor`. If one of its invariants is broken,
/// the exception leaves the execution context's `run`, and the aggregator goes on.
/// Throws std::invalid_argument if an option is below its minimum (2 for `reset_after`, otherwise
/// 1), or if two consumers have the same name.
[[nodiscard]] AggregatorHandle spawn_aggregator(const asio::any_io_executor& executor,
                                                const AggregatorOptions& options);

}  // namespace meridian::inline v2
