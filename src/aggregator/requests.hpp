/// What the aggregator can be asked: the messages of its control lane.
#pragma once

#include "aggregator/consumers.hpp"
#include "aggregator/frame_buffer.hpp"
#include "aggregator/origin_table.hpp"
#include "aggregator/reports.hpp"
#include "aggregator/tails.hpp"

#include <meridian/aggregator.hpp>
#include <meridian/errors.hpp>
#include <meridian/oneshot.hpp>
#include <meridian/tail.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace meridian::inline v2::aggregator::request {

/// Every request carries the oneshot for its reply.
template <typename Reply>
struct Asking {
  using ReplyType = Reply;
  OneshotSender<Reply> reply;
};

struct Done {};

struct GetDepth : Asking<Amount> {};
struct GetStats : Asking<AggregatorStats> {};
struct TakeDropReport : Asking<DropReport> {};
struct TakePeaks : Asking<Peaks> {};
struct ReleaseBackpressure : Asking<Done> {};
struct Restore : Asking<AggregatorStats> {
  SavedState saved;
};
struct SetLimits : Asking<Done> {
  BufferLimits limits;
  std::size_t max_tracked = 0;
  std::uint32_t reset_after = 0;
};
struct ShutDown : Asking<FinalState> {};

/// How far a drain has come. Before the first step nothing is set.
struct DrainProgress {
  std::uint64_t from_place = 0;
  /// Batches are numbered as they leave the channel. This is the last one that had been sent when
  /// the drain began: the drain sees all batches up to it.
  std::optional<std::uint64_t> last_batch;
  /// The place after these batches, once all of them have left the channel.
  std::optional<std::uint64_t> until_place;
  /// Whether the drain goes on with batches that wait in front of a full buffer. It has looked at
  /// those before `from_batch`.
  bool goes_past = false;
  std::uint64_t from_batch = 0;
};
struct DrainReply {
  std::vector<BufferedBatch> batches;
  Amount taken;
  std::uint64_t remaining = 0;
  DrainProgress progress;
  bool finished = false;
  bool settled = false;  ///< this was the only step, and nothing of it goes back
};
struct Drain : Asking<DrainReply> {
  DrainQuery query;
  DrainProgress progress;
  bool lend = false;  ///< whether what is taken keeps its room
};

/// One step of a drain into a lease. The first step that takes frames opens the lease, and the step
/// that is `finished` fills it. The lease has second references to the batches of the reply.
struct LeaseReply {
  std::optional<LeaseId> id;  ///< nothing: no step has taken a frame yet
  DrainReply step;
};
struct Lease : Asking<LeaseReply> {
  LeaseQuery query;
  DrainProgress progress;
  std::optional<LeaseId> id;
};

struct EndLeaseReply {
  Amount amount;
  error_code ec;
};
struct EndLease : Asking<EndLeaseReply> {
  LeaseId id = 0;
  LeaseEnd how = LeaseEnd::released;  ///< committed or released
};

/// Withdraws a lease that never reached its caller.
struct WithdrawLease : Asking<Done> {
  LeaseId id = 0;
};

struct PutBack : Asking<Done> {
  std::vector<BufferedBatch> batches;
  bool lent = false;
};
struct SettledBatch {
  PlaceRange places;
  std::uint64_t bytes = 0;
};
struct Settle : Asking<Done> {
  std::vector<SettledBatch> batches;
  bool lent = false;
};
[[nodiscard]] inline std::vector<SettledBatch> places_of(
    const std::vector<BufferedBatch>& batches) {
  std::vector<SettledBatch> all;
  all.reserve(batches.size());
  for (const BufferedBatch& buffered : batches) {
    all.push_back({buffered.places(), buffered.batch.bytes()});
  }
  return all;
}

struct FlushReply {
  std::uint64_t discarded = 0;
  // The caller destroys these, so that the aggregator need not.
  FrameBuffer::Entries entries;
  std::vector<FrameBatch> batches;
};
struct Flush : Asking<FlushReply> {};

struct GetOrigins : Asking<OriginPage> {
  std::size_t from = 0;
  std::size_t count = 0;
};

struct SumOrigins : Asking<OriginTable::Sum> {
  std::size_t from = 0;
  std::size_t count = 0;
};

struct ForgetOrigins : Asking<OriginTable::Forgotten> {
  SatelliteId satellite_id = 0;
  std::optional<ChannelId> channel_id;
  std::size_t from = 0;
  std::size_t count = 0;
};

struct AgeOrigins : Asking<OriginTable::Forgotten> {
  OriginTable::Aging aging;
  std::size_t from = 0;
  std::size_t count = 0;
};

struct GiveUp : Asking<Done> {
  FrameBatch batch;
};

/// Answered once senders need not wait any longer.
struct AwaitOpen : Asking<Done> {};

struct ConsumerReply {
  Consumers::Id id = 0;
  std::uint64_t epoch = 0;
  error_code ec;
};
struct Consume : Asking<ConsumerReply> {
  std::string name;
  std::weak_ptr<const void> claim;  ///< expires when the consumer ends
};
struct ReadNext : Asking<std::vector<BufferedBatch>> {
  Consumers::Id id = 0;
  std::size_t max_bytes = 0;
};
struct Acknowledge : Asking<Done> {
  Consumers::Id id = 0;
  std::vector<PlaceRange> batches;
};
struct Suspend : Asking<Done> {
  Consumers::Id id = 0;
  std::vector<Attempt> attempts;
};
struct Resume : Asking<Resumed> {
  Consumers::Id id = 0;
};

struct BeginTail : Asking<Tails::Id> {
  TailQuery query;
};
struct NextOfTail : Asking<TailPiece> {
  Tails::Id id = 0;
};
struct EndTail : Asking<Done> {
  Tails::Id id = 0;
};

using Request = std::variant<GetDepth, GetStats, TakeDropReport, TakePeaks, Restore, SetLimits,
                             ReleaseBackpressure, ShutDown, Drain, Lease, EndLease, WithdrawLease,
                             PutBack, Settle, Flush, GetOrigins, SumOrigins, ForgetOrigins,
                             AgeOrigins, GiveUp, AwaitOpen, Consume, ReadNext, Acknowledge, Suspend,
                             Resume, BeginTail, NextOfTail, EndTail>;

}  // namespace meridian::inline v2::aggregator::request
