/// What the aggregator holds: the buffer, and everything that has to keep step with it.
#pragma once

#include "aggregator/accounts.hpp"
#include "aggregator/consumers.hpp"
#include "aggregator/frame_buffer.hpp"
#include "aggregator/leases.hpp"
#include "aggregator/tails.hpp"

#include <meridian/aggregator.hpp>

#include <boost/system/result.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace meridian::inline v2::aggregator {

/// The buffer with its accounts, leases, consumers and watchers. Each call is one event, and
/// reaches all of them: a frame that leaves the buffer is counted under one term of the ledger, and
/// every consumer is moved past it.
///
/// Knows of no channel, request or timer. Not thread-safe: owned by the actor.
class Holdings {
 public:
  explicit Holdings(const AggregatorOptions& options);
  Holdings(const Holdings&) = delete;
  Holdings& operator=(const Holdings&) = delete;

  // Frames that come.

  /// A batch has left the channel, whatever becomes of it.
  void arrived(const FrameBatch& batch) { arrivals_.batch_frames.add(batch.frames()); }

  /// Puts as much of a batch into the buffer as it admits, and returns the rest.
  [[nodiscard]] std::optional<FrameBatch> accept(FrameBatch batch);

  /// Notes how long a batch took from its read until all of it was admitted or had passed.
  void note_latency(const FrameBatch& batch);

  /// Everything that was sent so far has been received.
  void caught_up() { accounts_.caught_up(); }

  /// A session gave up a batch.
  void given_up(const FrameBatch& batch, Accounts::Judge when) { accounts_.given_up(batch, when); }

  // Frames that go.

  /// One step of a drain. What is taken counts as drained, unless it is leased. It is settled or
  /// put back later.
  [[nodiscard]] FrameBuffer::Taken take(FrameBuffer::Step step);

  /// Takes frames that wait for room, as if they had been in the buffer.
  [[nodiscard]] BufferedBatch pass(FrameBatch batch, FrameBuffer::KeptRoom room,
                                   Accounts::Order order);

  /// Puts back what a step took, as if it had not been taken.
  void put_back(std::vector<BufferedBatch> batches, FrameBuffer::KeptRoom room);

  /// This much of what a drain took is gone for good.
  void settle(const PlaceRange& places, std::uint64_t bytes, FrameBuffer::KeptRoom room);

  /// Discards what is in the buffer.
  [[nodiscard]] FrameBuffer::Entries flush();

  /// Discards a batch before it was in the buffer.
  void flush(const FrameBatch& batch);

  // Leases.

  /// Adds what a step took to a lease, or to a new one, and returns the id. Nothing if there is no
  /// lease yet and the step took nothing.
  [[nodiscard]] std::optional<LeaseId> lease(std::optional<LeaseId> id,
                                             const std::vector<BufferedBatch>& batches,
                                             const Amount& amount);

  /// A lease is filled. It expires at `expires_at`.
  void start_lease(LeaseId id, Leases::Clock::time_point expires_at) {
    leases_.start(id, expires_at);
  }

  /// Ends a lease, and returns how much it held. Fails as `Leases::end` does. `put_back_some` puts
  /// back what is released.
  [[nodiscard]] boost::system::result<Amount> end_lease(LeaseId id, LeaseEnd how);

  /// Withdraws a lease that its caller never got, if it is still there.
  void withdraw_lease(LeaseId id);

  void expire_leases(Leases::Clock::time_point now);

  [[nodiscard]] std::optional<Leases::Clock::time_point> next_expiry() const {
    return leases_.next_expiry();
  }

  /// Puts back a bounded part of the frames of leases that have ended. True if there is more.
  bool put_back_some();
  [[nodiscard]] bool has_more_to_put_back() const noexcept { return !returning_.empty(); }

  // Consumers and watchers.

  [[nodiscard]] boost::system::result<Consumers::Id> claim_consumer(
      std::string_view name, std::weak_ptr<const void> claim) {
    return consumers_.claim(name, std::move(claim));
  }

  /// See Consumer::epoch.
  [[nodiscard]] std::uint64_t epoch() const noexcept { return epoch_; }

  void read_next(Consumers::Id id, std::size_t max_bytes, Consumers::ReadReply reply) {
    consumers_.wait(id, max_bytes, std::move(reply));
  }
  void serve_consumers() { consumers_.serve(buffer_); }

  /// A consumer acknowledges a batch. What no consumer needs any longer leaves the buffer.
  void acknowledge(Consumers::Id id, const PlaceRange& range);

  void suspend(Consumers::Id id, std::vector<Attempt> attempts) {
    consumers_.suspend(id, std::move(attempts));
  }
  [[nodiscard]] Resumed resume(Consumers::Id id) { return consumers_.resume(id, buffer_); }

  /// The watchers, which take nothing out of the buffer.
  [[nodiscard]] Tails& tails() noexcept { return tails_; }

  // All of it.

  [[nodiscard]] const FrameBuffer& buffer() const noexcept { return buffer_; }
  [[nodiscard]] const OriginTable& origins() const noexcept { return accounts_.origins(); }
  /// Throws std::logic_error if the ledger does not balance.
  [[nodiscard]] AggregatorStats stats(const ChannelLevel& channel);
  [[nodiscard]] DropReport take_drop_report() { return accounts_.take_drop_report(); }
  [[nodiscard]] Amount take_peak() { return buffer_.take_peak(); }

  /// As in `OriginTable`.
  OriginTable::Forgotten forget(SatelliteId satellite_id, std::optional<ChannelId> channel_id,
                                std::size_t from, std::size_t count) {
    return accounts_.forget(satellite_id, channel_id, from, count);
  }
  OriginTable::Forgotten age(const OriginTable::Aging& aging, std::size_t from, std::size_t count) {
    return accounts_.age(aging, from, count);
  }

  void set_limits(const BufferLimits& limits, std::size_t max_tracked, std::uint32_t reset_after);
  void release_backpressure() noexcept { buffer_.release_backpressure(); }

  /// Restores what another aggregator held. Nothing may be held yet.
  void restore(SavedState saved);

  /// Ends all leases, and takes everything out. The ledger is returned as it is, even if it does
  /// not balance.
  [[nodiscard]] FinalState close(const ChannelLevel& channel);

  /// Does the same after `close` has thrown: saves frames and counts, whatever else is broken.
  [[nodiscard]] FinalState rescue(const ChannelLevel& channel);

 private:
  [[nodiscard]] AggregatorStats unchecked_stats(const ChannelLevel& channel);

  /// Moves what is in the buffer into `last`, with the counts.
  void empty_into(FinalState& last);

  /// Makes room for a batch by removing frames that no consumer must still have.
  void make_room(const FrameBatch& batch);

  /// Removes those batches of a range that all consumers have. `rest` says of the others whether
  /// they stay in the buffer, or have just come back to it.
  enum class Rest : std::uint8_t { stays, has_come_back };
  void deliver(const PlaceRange& range, Rest rest);

  /// The policy has dropped frames that were in the buffer.
  void note_dropped(const PlaceRange& range, std::uint64_t bytes);

  /// Frames were taken. The batch right after them may be the rest of their batch: notes whether it
  /// may make room for others.
  void note_rest(const PlaceRange& taken);

  /// Frames that were taken are gone for good. Consumers that have not read them skip them.
  void pass_over(const std::vector<BufferedBatch>& batches, Skip why);

  /// Counts a batch, or the part of one that is admitted, and shows it to watchers.
  void count(const FrameBatch& batch, Accounts::Order order = Accounts::Order::as_sent);

  /// The places of batches that are about to be put into the buffer; empty if there are no
  /// consumers. Consumers may have advanced or become fewer while the batches were elsewhere.
  [[nodiscard]] std::vector<PlaceRange> to_deliver(const std::vector<BufferedBatch>& batches) const;

  /// Puts batches back into the buffer. Removes those again that all consumers have by now.
  void insert(std::vector<BufferedBatch>&& batches, FrameBuffer::KeptRoom room);

  /// Queues the frames of a lease to be put back.
  void give_back(Leases::Lease lease);

  /// The same for a lease whose frames a client may have had. Marks them as redelivered.
  void give_back_marked(Leases::Lease lease);

  /// Ends the oldest lease that is filled. Its newest frames go back as far as they fit into
  /// `room`, and the rest is dropped. False if there is none.
  bool evict_lease(const Amount& room);

  Accounts accounts_;
  FrameBuffer buffer_;
  Arrivals arrivals_;
  Tails tails_;
  Leases leases_;
  Consumers consumers_;
  std::uint64_t epoch_;
  std::vector<BufferedBatch> returning_;  // from leases that have ended
};

}  // namespace meridian::inline v2::aggregator
