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
/// Source: the telemetry aggregator of the lesson (Async Rust, chapter 8).
///
/// Stable: see <meridian/version.hpp>.
#pragma once

#include <meridian/channel.hpp>
#include <meridian/distribution.hpp>
#include <meridian/errors.hpp>
#include <meridian/frame_batch.hpp>
#include <meridian/positions.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/system/result.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace meridian::inline v1 {

/// What the buffer does with a frame that does not fit.
enum class WhenFull : std::uint8_t {
  drop_oldest,   ///< makes room by dropping the oldest frames
  drop_newest,   ///< drops the frame
  backpressure,  ///< leaves it in the channel until there is room, after a drain for example
};

/// Why a frame was dropped. Counted per reason.
enum class DropReason : std::uint8_t {
  buffer_full_oldest,  ///< evicted by WhenFull::drop_oldest
  buffer_full_newest,  ///< refused by WhenFull::drop_newest, or larger than the whole buffer
  channel_full,        ///< given up by its session because the channel was full
  not_restored,        ///< saved before a restart, and missing after it
  lease_evicted,       ///< leased, and WhenFull::drop_oldest needed its room
  consumer_behind,     ///< made room; only consumers that do not hold still needed it
};
inline constexpr std::array all_drop_reasons{
    DropReason::buffer_full_oldest, DropReason::buffer_full_newest, DropReason::channel_full,
    DropReason::not_restored,       DropReason::lease_evicted,      DropReason::consumer_behind};

/// The name under which a reason is counted and logged, such as "channel_full".
[[nodiscard]] std::string_view name_of(DropReason reason) noexcept;

struct BufferLimits {
  std::uint64_t max_frames = 1'000'000;
  std::uint64_t max_bytes = 268'435'456;  ///< octets of frames, headers included
  WhenFull when_full = WhenFull::drop_oldest;
};

/// This many frames in a row from elsewhere in its range mean that a counter has started over.
inline constexpr std::uint32_t default_reset_after = 8;

struct AggregatorOptions {
  std::size_t channel_capacity = 128;  ///< batches, at least 1
  BufferLimits buffer{};
  std::size_t max_tracked = 65'536;  ///< origins tracked one by one; the others are summed
  std::uint32_t reset_after = default_reset_after;  ///< at least 2
  std::vector<ConsumerOptions> consumers{};         ///< their names must differ
};

/// Every frame accounted for. Balances at any moment:
/// received = buffered + leased + delivered + drained + flushed + Σ dropped.
struct Ledger {
  std::uint64_t received = 0;
  std::uint64_t buffered = 0;
  std::uint64_t leased = 0;     ///< kept aside until their lease ends
  std::uint64_t delivered = 0;  ///< acknowledged by all consumers, or by all that hold
  std::uint64_t drained = 0;
  std::uint64_t flushed = 0;
  std::array<std::uint64_t, all_drop_reasons.size()> dropped{};

  [[nodiscard]] std::uint64_t& dropped_for(DropReason reason) noexcept {
    return dropped.at(static_cast<std::size_t>(reason));
  }
  [[nodiscard]] std::uint64_t dropped_for(DropReason reason) const noexcept {
    return dropped.at(static_cast<std::size_t>(reason));
  }
  [[nodiscard]] bool balanced() const noexcept {
    std::uint64_t accounted = buffered + leased + delivered + drained + flushed;
    for (const std::uint64_t frames : dropped) {
      accounted += frames;
    }
    return received == accounted;
  }
};

struct BufferLevel {
  Depth now;
  Depth high_water;
  BufferLimits limits;
  Depth lent{};    ///< taken by `lend`, and not yet settled or put back
  Depth leased{};  ///< counts against the limits, and is not part of `now`
};

/// Microseconds.
inline constexpr std::array<std::uint64_t, 14> ingest_latency_bounds{
    50,     100,    250,     500,     1'000,     2'500,     5'000,
    10'000, 25'000, 100'000, 250'000, 1'000'000, 5'000'000, 30'000'000};
/// Frames.
inline constexpr std::array<std::uint64_t, 9> batch_frames_bounds{1,     4,     16,     64,    256,
                                                                  1'024, 4'096, 16'384, 65'536};

/// Covers the batches that have left the channel. Each counts once, as a whole, even if the buffer
/// takes it in parts.
struct Arrivals {
  Distribution<ingest_latency_bounds> latency_us;  ///< from a batch's read until all is admitted
  Distribution<batch_frames_bounds> batch_frames;
};

/// Sums over all origins.
struct OriginTotals {
  std::uint64_t origins = 0;           ///< tracked ones
  std::uint64_t max_tracked = 0;       ///< the limit on them
  std::uint64_t untracked_frames = 0;  ///< of all other origins
  std::uint64_t bytes = 0;             ///< octets of frames, headers included
  std::uint64_t gaps = 0;
  std::uint64_t missing = 0;  ///< saturates
  std::uint64_t duplicates = 0;
  std::uint64_t late = 0;   ///< without unsettled frames
  std::uint64_t jumps = 0;  ///< likewise
  std::uint64_t resets = 0;
};

/// Watchers: see <meridian/tail.hpp>.
struct TailCounts {
  std::uint64_t watchers = 0;
  std::uint64_t lost = 0;  ///< frames lost by slow watchers since the start, counted per watcher
};

/// How a lease ended. Counted.
enum class LeaseEnd : std::uint8_t {
  committed,  ///< its frames are gone for good
  released,   ///< given back
  expired,    ///< its time ran out, and its frames went back
  evicted,    ///< its frames were dropped (DropReason::lease_evicted)
};
inline constexpr std::array all_lease_ends{LeaseEnd::committed, LeaseEnd::released,
                                           LeaseEnd::expired, LeaseEnd::evicted};
[[nodiscard]] std::string_view name_of(LeaseEnd end) noexcept;

struct LeaseCounts {
  std::uint64_t open = 0;
  std::array<std::uint64_t, all_lease_ends.size()> ended{};  ///< since the start
};

struct AggregatorStats {
  Ledger ledger;
  BufferLevel buffer;
  ChannelLevel channel;
  OriginTotals origins{};
  Arrivals arrivals{};
  TailCounts tails{};
  LeaseCounts leases{};
  std::vector<ConsumerStats> consumers{};
  bool holds_batches = false;  ///< a batch, or the rest of one, waits for room in the buffer
};

/// The highest levels in a period.
struct Peaks {
  Depth buffer;             ///< each figure at its own peak
  std::size_t channel = 0;  ///< batches
};

/// What the sequences of a counter have shown. Each is judged by its distance from the last one. A
/// late frame is behind it; a jump is more than a quarter of the counter's range ahead. Neither
/// becomes the new last one, unless `reset_after` of them come in a row, each following the one
/// before by one: that is a reset, and none of them counts as late or as a jump.
struct SequenceCounts {
  std::uint64_t gaps = 0;     ///< how often sequences were skipped
  std::uint64_t missing = 0;  ///< how many were skipped; saturates
  std::uint64_t duplicates = 0;
  std::uint64_t late = 0;
  std::uint64_t jumps = 0;
  std::uint64_t resets = 0;  ///< how often the counter started over
};

/// The latest frames of a counter, if a few more like them would be a reset.
struct UnsettledFrames {
  std::uint64_t next = 0;   ///< the sequence that the next one would have
  std::uint64_t late = 0;   ///< how many of them count as late so far
  std::uint64_t jumps = 0;  ///< how many count as jumps so far

  [[nodiscard]] std::uint64_t frames() const noexcept { return late + jumps; }
};

/// The current state of a counter.
struct SequenceStats : SequenceCounts {
  std::optional<std::uint64_t> last_sequence{};
  UnsettledFrames unsettled{};  ///< included in `late` and `jumps`
};

/// The frames of an origin that were recorded on board and played back. Their sequences are tracked
/// apart from those of live ones.
struct StoredStats {
  std::uint64_t frames = 0;
  SequenceStats sequences{};
  ReceiveTime last_seen_at{};
};

/// What is known of one origin. It outlives sessions: a reconnect is not a gap. All figures include
/// live and stored frames, unless a figure says otherwise.
struct OriginStats {
  std::optional<Origin> origin;  ///< nothing: the sum over all origins beyond `max_tracked`
  std::uint64_t frames = 0;
  std::uint64_t bytes = 0;
  /// That of the live frames, or of the stored ones if there are no live ones. Nothing for the sum.
  std::optional<std::uint64_t> last_sequence;
  std::uint64_t gaps = 0;     ///< how often sequences were skipped
  std::uint64_t missing = 0;  ///< how many were skipped
  std::uint64_t duplicates = 0;
  std::uint64_t late = 0;
  std::uint64_t dropped = 0;
  ReceiveTime last_seen_at{};
  std::uint64_t jumps = 0;
  std::uint64_t resets = 0;
  UnsettledFrames unsettled{};          ///< `next` is that of the live frames
  std::optional<StoredStats> stored{};  ///< nothing if there are none
};

/// A part of the list of origins. An origin keeps its place in the list until it is forgotten; then
/// the place is free until a new origin takes it.
struct OriginPage {
  std::vector<OriginStats> rows;  ///< of the places that are taken
  std::size_t next = 0;           ///< the place at which the next part begins
  bool at_end = false;            ///< there is no next part
};

/// A batch that is, or was, in the buffer. `place` is the place of its first frame. It orders the
/// batch among all others, so that the batch can be put back.
struct BufferedBatch {
  std::uint64_t place = 0;
  FrameBatch batch;

  [[nodiscard]] PlaceRange places() const noexcept { return {place, batch.frames()}; }
};

/// What an aggregator hands over when it ends, for another one to restore: the counts then continue
/// across a restart.
struct SavedState {
  std::optional<Ledger> ledger;      ///< nothing if it is not known
  std::vector<OriginStats> origins;  ///< as `AggregatorHandle::origins` returns them
  /// The sum over origins that were forgotten, so that no total falls; nothing if none was.
  std::optional<OriginStats> forgotten{};
  /// Oldest first. A place of 0 means that it is not known: the batch gets the first place behind
  /// the batch before it.
  std::vector<BufferedBatch> frames;
  std::optional<SavedPositions> positions;  ///< nothing if they are not known

  void add(FrameBatch batch) { frames.push_back({.place = 0, .batch = std::move(batch)}); }
};

/// What an aggregator leaves when it ends.
struct FinalState {
  AggregatorStats stats;
  SavedState saved;
};

/// Which frames to drain, oldest first.
struct DrainQuery {
  std::uint64_t max_frames = 0;
  std::optional<SatelliteId> satellite_id{};  ///< nothing: all of them
};

/// Frames that are no longer in the buffer.
struct Drained {
  std::vector<BufferedBatch> batches;
  Depth taken;                  ///< what `batches` holds
  std::uint64_t remaining = 0;  ///< frames left in the buffer
};

/// Identifies a lease. Counts up; an aggregator never uses one twice.
using LeaseId = std::uint64_t;

/// Which frames to lease, oldest first, and for how long.
struct LeaseQuery {
  std::uint64_t max_frames = 0;
  std::optional<SatelliteId> satellite_id{};  ///< nothing: all of them
  std::chrono::steady_clock::duration duration{};
};

struct Leased {
  std::optional<LeaseId> id;  ///< nothing: there was no frame to take
  Drained frames;             ///< a second reference to what the aggregator keeps aside
};

/// Which frames to watch.
struct TailQuery {
  std::optional<SatelliteId> satellite_id{};  ///< nothing: of all satellites
  std::optional<ChannelId> channel_id{};      ///< nothing: of all channels
  std::size_t max_bytes = 262'144;            ///< memory that may wait for the watcher, at least 1

  [[nodiscard]] bool matches(Origin origin) const noexcept {
    return satellite_id.value_or(origin.satellite_id) == origin.satellite_id &&
           channel_id.value_or(origin.channel_id) == origin.channel_id;
  }
};

/// Drops since the last report.
struct DropReport {
  struct Entry {
    std::uint64_t frames = 0;
    std::vector<SatelliteId> satellites;  ///< the first few of them
    bool more_satellites = false;         ///< whether there were others
  };
  std::array<Entry, all_drop_reasons.size()> by_reason;
};

class Lent;
class Tail;
class Consumer;

/// Access to the aggregator. All calls may fail with Errc::aggregator_shut_down, and all but `send`
/// and `try_send` also with Errc::reply_dropped.
///
/// Ownership: copies share the aggregator. It ends when `shut_down` is called, or when the last
/// copy is destroyed; then what is in the buffer is lost. A call in progress keeps it alive.
/// Lifetime: no handle may outlive the execution context. Thread-safety: copies and const members
/// may be used on any thread. Cancellation: a cancelled call (asio::error::operation_aborted) may
/// or may not have been carried out, but frames of a cancelled drain stay in the buffer or go back
/// to their place.
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

  [[nodiscard]] asio::awaitable<Result<Depth>> depth() const;

  /// Takes frames out of the buffer. Sees everything that was sent before, including what
  /// backpressure held in the channel: there the frames of one satellite pass those of others, for
  /// which there is no room. Those others leave the channel and wait in front of the buffer, but
  /// still count as if they filled the channel: while it would be full, `send` waits and `try_send`
  /// is refused, so that such drains do not each let in another channelful. Done in steps, between
  /// which other requests are served.
  [[nodiscard]] asio::awaitable<Result<Drained>> drain(DrainQuery query) const;

  /// Like `drain`, for frames that may be put back: see <meridian/lent.hpp>. A query for all
  /// satellites sees what backpressure held in the channel only if the buffer is within its limits.
  [[nodiscard]] asio::awaitable<Result<Lent>> lend(DrainQuery query) const;

  /// Takes frames out of the buffer, and keeps them aside until `commit` lets go of them. Until
  /// then they count as leased, and against the buffer's limits. A lease of all satellites
  /// therefore does not see what backpressure holds in the channel; a later one does, once there is
  /// room. A lease of one satellite lets its frames pass those of others, as `drain` does, until
  /// the leased frames alone reach the limits.
  ///
  /// Leased frames go back to their place, marked (`FrameBatch::redelivered`), by `release` and
  /// when the lease expires. Under `WhenFull::drop_oldest` the oldest lease is evicted if new
  /// frames find no room beside the leased ones, or if narrower limits have no room for what is
  /// leased. In the latter case its newest frames go back, as far as they fit.
  [[nodiscard]] asio::awaitable<Result<Leased>> lease(LeaseQuery query) const;

  /// Ends a lease; its frames count as drained from now on. Returns how much that is. Fails with
  /// Errc::lease_expired or Errc::lease_evicted if that has happened, which is remembered for the
  /// newest 4,096 such leases. Otherwise fails with Errc::lease_unknown, also if the lease was
  /// committed or released before.
  [[nodiscard]] asio::awaitable<Result<Depth>> commit(LeaseId id) const;

  /// Ends a lease and puts its frames back: every later request sees them. Fails as `commit` does.
  [[nodiscard]] asio::awaitable<Result<Depth>> release(LeaseId id) const;

  /// Watches frames as they arrive: see <meridian/tail.hpp>.
  [[nodiscard]] asio::awaitable<Result<Tail>> tail(TailQuery query) const;

  /// Claims the consumer of that name in `AggregatorOptions::consumers`. Fails with
  /// Errc::consumer_unknown if there is none, and with Errc::consumer_claimed as long as the
  /// `Consumer` of an earlier call exists, or a call on it is in progress. What an earlier one had
  /// read and not acknowledged is read again.
  [[nodiscard]] asio::awaitable<Result<Consumer>> consume(std::string name) const;

  /// Discards the buffer, and what waits in the channel. Returns how many frames.
  [[nodiscard]] asio::awaitable<Result<std::uint64_t>> flush() const;

  [[nodiscard]] asio::awaitable<Result<AggregatorStats>> stats() const;

  /// All origins, in the order in which they were first heard, except those that have taken the
  /// place of a forgotten one. The sum over those beyond `max_tracked` comes last, if there are
  /// any.
  [[nodiscard]] asio::awaitable<Result<std::vector<OriginStats>>> origins() const;

  /// A part of that list, from index `from` on: `count` rows, or fewer at the end of the list. Each
  /// call walks the list from its beginning, and an index shifts when origins are forgotten. To
  /// read the whole list in parts, use `origin_page`.
  [[nodiscard]] asio::awaitable<Result<std::vector<OriginStats>>> origins(std::size_t from,
                                                                          std::size_t count) const;

  /// The origins at the places from `from` on, at most `count` places. The last part also has the
  /// sum over those beyond `max_tracked`. The list may change between two parts; an origin that is
  /// in it all the time appears once.
  [[nodiscard]] asio::awaitable<Result<OriginPage>> origin_page(std::size_t from,
                                                                std::size_t count) const;

  /// The sum over all origins that have or had the places from `from` on, and over those beyond
  /// `max_tracked`; its `origin` is nothing. Done in steps. Apart from unsettled frames, no figure
  /// is lower in a later sum.
  [[nodiscard]] asio::awaitable<Result<OriginStats>> sum_origins(std::size_t from) const;

  /// Forgets what is known of a satellite, or of one of its channels. It has no row any more, and
  /// counts as new when it is heard again. Its frames stay where they are, and sums keep what it
  /// counted. Returns how many channels were forgotten. Done in steps.
  [[nodiscard]] asio::awaitable<Result<std::uint64_t>> forget(
      SatelliteId satellite_id, std::optional<ChannelId> channel_id) const;

  /// Tells the aggregator that `elapsed`, in which frames could arrive, has passed since the last
  /// call. Forgets the origins from which none came for `limit`. Returns how many. Done in steps.
  [[nodiscard]] asio::awaitable<Result<std::uint64_t>> forget_idle(
      std::chrono::milliseconds elapsed, std::chrono::milliseconds limit) const;

  /// What was dropped since the last call.
  [[nodiscard]] asio::awaitable<Result<DropReport>> take_drop_report() const;

  /// The highest levels since the last call.
  [[nodiscard]] asio::awaitable<Result<Peaks>> take_peaks() const;

  /// Restores what another aggregator has left. For a new aggregator, before anything is sent to
  /// it. The frames come first in the buffer, in their order, and its policy applies to them; under
  /// `WhenFull::backpressure` none is lost, and the buffer may exceed its limits. Frames that the
  /// ledger counts as buffered and that are missing count as dropped (`DropReason::not_restored`).
  /// Without a ledger, or with one that does not fit the frames, the frames count as received.
  [[nodiscard]] asio::awaitable<Result<AggregatorStats>> restore(SavedState saved) const;

  /// Changes the limits. They apply to what is already in the buffer, too: the policy drops what
  /// exceeds them, or lets nothing in until that has been drained. A lower `max_tracked` forgets no
  /// origin.
  [[nodiscard]] asio::awaitable<error_code> set_limits(
      BufferLimits limits, std::size_t max_tracked,
      std::uint32_t reset_after = default_reset_after) const;

  /// For use before a stop. From now on a full buffer holds nothing back, so that sessions can hand
  /// over what they have read and the channel empties. The limits are exceeded by at most that
  /// much.
  [[nodiscard]] asio::awaitable<error_code> release_backpressure() const;

  /// Ends the aggregator for all handles: takes what is in the channel, as after
  /// `release_backpressure`, and returns the final statistics and everything that it still holds.
  /// From now on other calls fail with Errc::aggregator_shut_down, including sends that are
  /// waiting; calls whose request was already on its way fail with Errc::reply_dropped.
  [[nodiscard]] asio::awaitable<Result<FinalState>> shut_down() const;

 private:
  friend AggregatorHandle spawn_aggregator(const asio::any_io_executor&, const AggregatorOptions&);
  friend class Lent;
  friend class Tail;
  friend class Consumer;

  struct Port;
  explicit AggregatorHandle(std::shared_ptr<const Port> port) noexcept : port_(std::move(port)) {}

  std::shared_ptr<const Port> port_;
};

/// Starts an aggregator on a strand of its own over `executor`. A broken invariant in it is thrown
/// out of the execution context's `run`.
/// Throws std::invalid_argument if an option is below its minimum (2 for `reset_after`, otherwise
/// 1), or if two consumers have the same name.
[[nodiscard]] AggregatorHandle spawn_aggregator(const asio::any_io_executor& executor,
                                                const AggregatorOptions& options);

}  // namespace meridian::inline v1
