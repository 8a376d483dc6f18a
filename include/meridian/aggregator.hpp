/// The aggregator: an actor that alone owns the buffer of frames, and the handle by which everyone
/// else asks it.
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
  backpressure,  ///< leaves it in the channel until a drain or flush makes room
};

/// Why a frame was dropped. Counted per reason.
enum class DropReason : std::uint8_t {
  buffer_full_oldest,  ///< evicted by WhenFull::drop_oldest
  buffer_full_newest,  ///< refused by WhenFull::drop_newest, or larger than the whole buffer
  channel_full,        ///< given up by its session because the channel was full
  not_restored,        ///< saved over a restart, and missing where it was restored
  lease_evicted,       ///< leased, and WhenFull::drop_oldest needed its room
  consumer_behind,     ///< made room that only consumers still needed which do not hold
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

/// So many frames in a row from elsewhere in its range make a counter that has begun anew.
inline constexpr std::uint32_t default_reset_after = 8;

struct AggregatorOptions {
  std::size_t channel_capacity = 128;  ///< batches, at least 1
  BufferLimits buffer{};
  std::size_t max_tracked = 65'536;  ///< origins with a state of their own; the others are summed
  std::uint32_t reset_after = default_reset_after;  ///< at least 2
  std::vector<ConsumerOptions> consumers{};         ///< their names differ
};

/// Every frame accounted for. Balances at any moment:
/// received = buffered + leased + delivered + drained + flushed + Σ dropped.
struct Ledger {
  std::uint64_t received = 0;
  std::uint64_t buffered = 0;
  std::uint64_t leased = 0;     ///< kept aside until their lease ends
  std::uint64_t delivered = 0;  ///< all consumers have acknowledged them, or all that hold
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
  Depth lent{};    ///< drained by a query that lends, and neither settled nor put back
  Depth leased{};  ///< counts against the limits, and is not part of `now`
};

/// Microseconds.
inline constexpr std::array<std::uint64_t, 14> ingest_latency_bounds{
    50,     100,    250,     500,     1'000,     2'500,     5'000,
    10'000, 25'000, 100'000, 250'000, 1'000'000, 5'000'000, 30'000'000};
/// Frames.
inline constexpr std::array<std::uint64_t, 9> batch_frames_bounds{1,     4,     16,     64,    256,
                                                                  1'024, 4'096, 16'384, 65'536};

/// Of the batches that have left the channel, whole: also where the buffer takes them in parts.
struct Arrivals {
  Distribution<ingest_latency_bounds> latency_us;  ///< from a batch's read until all is admitted
  Distribution<batch_frames_bounds> batch_frames;
};

/// Sums over all origins.
struct OriginTotals {
  std::uint64_t origins = 0;           ///< tracked ones
  std::uint64_t max_tracked = 0;       ///< how many there may be
  std::uint64_t untracked_frames = 0;  ///< of origins beyond these
  std::uint64_t bytes = 0;             ///< octets of frames, headers included
  std::uint64_t gaps = 0;
  std::uint64_t missing = 0;  ///< ends at its largest value
  std::uint64_t duplicates = 0;
  std::uint64_t late = 0;   ///< without those of which a few more would be a reset
  std::uint64_t jumps = 0;  ///< likewise
  std::uint64_t resets = 0;
};

/// Those who watch.
struct TailCounts {
  std::uint64_t watchers = 0;
  std::uint64_t lost = 0;  ///< copies of frames that watchers were too slow for, since the start
};

/// How a lease came to its end. Counted.
enum class LeaseEnd : std::uint8_t {
  committed,  ///< its frames are gone for good
  released,   ///< given back
  expired,    ///< came back by itself
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

/// The highest levels of some time.
struct Peaks {
  Depth buffer;             ///< of each figure by itself
  std::size_t channel = 0;  ///< batches
};

/// What sequences have shown, each by its distance from the last one. `late` ones are behind it. A
/// jump is a frame more than a quarter of the counter's range ahead. Both leave the last one where
/// it is, unless `reset_after` of them in a row each follow the one before by one: that is a reset,
/// and none of them is late or a jump.
struct SequenceCounts {
  std::uint64_t gaps = 0;     ///< how often sequences were skipped
  std::uint64_t missing = 0;  ///< how many were; ends at its largest value
  std::uint64_t duplicates = 0;
  std::uint64_t late = 0;
  std::uint64_t jumps = 0;
  std::uint64_t resets = 0;  ///< how often the counter began anew
};

/// The last frames of a counter, where a few more of them would be a reset.
struct UnsettledFrames {
  std::uint64_t next = 0;   ///< the sequence that one more would have
  std::uint64_t late = 0;   ///< so many that are late so far
  std::uint64_t jumps = 0;  ///< and so many that are jumps so far

  [[nodiscard]] std::uint64_t frames() const noexcept { return late + jumps; }
};

/// A counter as it stands.
struct SequenceStats : SequenceCounts {
  std::optional<std::uint64_t> last_sequence{};
  UnsettledFrames unsettled{};  ///< they are part of `late` and `jumps`
};

/// The frames of an origin that were recorded on board and played back. Their sequences are tracked
/// apart from those of live ones.
struct StoredStats {
  std::uint64_t frames = 0;
  SequenceStats sequences{};
  ReceiveTime last_seen_at{};
};

/// What is known of one origin. It outlives sessions: a reconnect is not a gap. All frames, live
/// and stored ones, are in all figures, unless a figure says otherwise.
struct OriginStats {
  std::optional<Origin> origin;  ///< nothing: the sum over all origins beyond `max_tracked`
  std::uint64_t frames = 0;
  std::uint64_t bytes = 0;
  /// Of the live frames; of the stored ones where there are no others. Nothing for the sum.
  std::optional<std::uint64_t> last_sequence;
  std::uint64_t gaps = 0;     ///< how often sequences were skipped
  std::uint64_t missing = 0;  ///< how many were
  std::uint64_t duplicates = 0;
  std::uint64_t late = 0;
  std::uint64_t dropped = 0;
  ReceiveTime last_seen_at{};
  std::uint64_t jumps = 0;
  std::uint64_t resets = 0;
  UnsettledFrames unsettled{};          ///< `next` is that of the live ones
  std::optional<StoredStats> stored{};  ///< nothing where there are none
};

/// A part of the list of origins. Each has a place in the list as long as it is not forgotten; then
/// the place is free, until a new origin takes it.
struct OriginPage {
  std::vector<OriginStats> rows;  ///< of the places that are taken
  std::size_t next = 0;           ///< the place at which the next part begins
  bool at_end = false;            ///< there is no next part
};

/// A batch in or out of the buffer. `place` is that of its first frame, and orders it among all
/// others, so that it can go back.
struct BufferedBatch {
  std::uint64_t place = 0;
  FrameBatch batch;

  [[nodiscard]] PlaceRange places() const noexcept { return {place, batch.frames()}; }
};

/// What an aggregator hands over at its end, and another one takes up: with it, a restart is no
/// break in the books.
struct SavedState {
  std::optional<Ledger> ledger;      ///< nothing where it is not known
  std::vector<OriginStats> origins;  ///< as `AggregatorHandle::origins` has them
  /// The sum over origins that were forgotten, so that no total falls; nothing if none was.
  std::optional<OriginStats> forgotten{};
  /// The oldest first. A place of 0 is not known: the first one behind the batch before.
  std::vector<BufferedBatch> frames;
  std::optional<SavedPositions> positions;  ///< nothing where they are not known

  void add(FrameBatch batch) { frames.push_back({.place = 0, .batch = std::move(batch)}); }
};

/// The end of an aggregator.
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

/// Names a lease. Counts up; never given twice by one aggregator.
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
  std::size_t max_bytes = 262'144;            ///< memory that waits for the watcher, at least 1

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

/// The way to the aggregator. All calls may fail with Errc::aggregator_shut_down, those with a
/// result also with Errc::reply_dropped.
///
/// Ownership: copies share the aggregator, which ends when the last of them is destroyed, along
/// with what is in the buffer, or when `shut_down` is called. A call that is in progress keeps it
/// alive. Lifetime: no handle may outlive the execution context. Thread-safety: copies and const
/// members may be used on any thread. Cancellation: a cancelled call
/// (asio::error::operation_aborted) may or may not have been carried out, but frames of a cancelled
/// drain stay in the buffer or go back to their place.
class AggregatorHandle {
 public:
  template <typename T>
  using Result = boost::system::result<T>;

  /// Hands over a batch; waits while the channel is full, or must not become fuller: see `drain`.
  [[nodiscard]] asio::awaitable<error_code> send(FrameBatch batch) const;

  /// Hands over a batch if there is room now. Returns nothing, or the batch with
  /// Errc::channel_full or Errc::aggregator_shut_down.
  [[nodiscard]] std::optional<Refused<FrameBatch>> try_send(FrameBatch batch) const;

  /// Counts a batch that its session gives up after `try_send` said channel_full: as received and
  /// as dropped. Returns once it is counted, so that the session's next batch comes behind it.
  [[nodiscard]] asio::awaitable<error_code> give_up(FrameBatch batch) const;

  [[nodiscard]] asio::awaitable<Result<Depth>> depth() const;

  /// Takes frames out of the buffer. Everything that was sent before is seen, also what
  /// backpressure held in the channel: there the frames of one satellite pass those of others for
  /// which there is no room. Those no longer fill the channel; so that it is not filled once more
  /// for each such drain, `send` waits and `try_send` is refused until they are in the buffer. Done
  /// in steps, between which others have their turn.
  [[nodiscard]] asio::awaitable<Result<Drained>> drain(DrainQuery query) const;

  /// The same for frames that may come back: see <meridian/lent.hpp>. A drain of all satellites
  /// sees what backpressure held in the channel only where the buffer is within its bounds.
  [[nodiscard]] asio::awaitable<Result<Lent>> lend(DrainQuery query) const;

  /// Takes frames out of the buffer, and keeps them aside until `commit` lets go of them: they
  /// count as leased, and against the buffer's limits. So what backpressure holds in the channel is
  /// seen by a later lease, once there is room; only frames of one satellite pass those of others,
  /// as for `drain`, until the leased ones alone are as many as the limits allow. They come back to
  /// their place, marked
  /// (`FrameBatch::redelivered`), by `release` and when the lease expires. Where the policy needs
  /// even their room (only under `WhenFull::drop_oldest`: frames that have just come find none
  /// beside them, or narrower limits have none for what is leased), the oldest lease is evicted;
  /// narrower limits give its newest frames back as far as they fit.
  [[nodiscard]] asio::awaitable<Result<Leased>> lease(LeaseQuery query) const;

  /// Ends a lease, whose frames count as drained from now on. Returns how much that is. Fails with
  /// Errc::lease_expired or Errc::lease_evicted where that has happened, which is remembered for
  /// the last 4,096 such leases; otherwise with Errc::lease_unknown, also if it was committed or
  /// released before.
  [[nodiscard]] asio::awaitable<Result<Depth>> commit(LeaseId id) const;

  /// Ends a lease and puts its frames back: every later request sees them. Fails as `commit` does.
  [[nodiscard]] asio::awaitable<Result<Depth>> release(LeaseId id) const;

  /// Watches frames as they come: see <meridian/tail.hpp>.
  [[nodiscard]] asio::awaitable<Result<Tail>> tail(TailQuery query) const;

  /// The consumer of that name in `AggregatorOptions::consumers`, for the one who is it. Fails with
  /// Errc::consumer_unknown where there is none, and with Errc::consumer_claimed as long as the
  /// `Consumer` of an earlier call, or a call to it, exists. What that one had read and not
  /// acknowledged is read again.
  [[nodiscard]] asio::awaitable<Result<Consumer>> consume(std::string name) const;

  /// Discards the buffer, and what waits in the channel. Returns how many frames.
  [[nodiscard]] asio::awaitable<Result<std::uint64_t>> flush() const;

  [[nodiscard]] asio::awaitable<Result<AggregatorStats>> stats() const;

  /// All origins, in the order in which they were first heard, apart from those that have the place
  /// of a forgotten one; the sum over those beyond `max_tracked` comes last, if there are any.
  [[nodiscard]] asio::awaitable<Result<std::vector<OriginStats>>> origins() const;

  /// A part of that list, from index `from` on: at most `count`, and fewer only where it ends. It
  /// is looked for from the beginning of the list, and moves where origins are forgotten meanwhile:
  /// whoever reads all of the list in parts uses `origin_page`.
  [[nodiscard]] asio::awaitable<Result<std::vector<OriginStats>>> origins(std::size_t from,
                                                                          std::size_t count) const;

  /// The origins that have the places from `from` on, at most `count` of these; the sum over those
  /// beyond `max_tracked` is in the last part. A list that is read in parts may change meanwhile;
  /// who is in it all the time is met once.
  [[nodiscard]] asio::awaitable<Result<OriginPage>> origin_page(std::size_t from,
                                                                std::size_t count) const;

  /// The sum over all that had or have the places from `from` on, its `origin` nothing. Done in
  /// steps; no figure of a later sum is less, once unsettled frames are taken off.
  [[nodiscard]] asio::awaitable<Result<OriginStats>> sum_origins(std::size_t from) const;

  /// Forgets what is known of a satellite, or of one of its channels: it has no row any more, and
  /// is a new one when it is heard again. Frames stay where they are, and totals as they are.
  /// Returns how many channels that were. Done in steps.
  [[nodiscard]] asio::awaitable<Result<std::uint64_t>> forget(
      SatelliteId satellite_id, std::optional<ChannelId> channel_id) const;

  /// Tells that `elapsed` has gone by since the call before, in which frames could arrive. Forgets
  /// the origins from which none came for `limit`. Returns how many. Done in steps.
  [[nodiscard]] asio::awaitable<Result<std::uint64_t>> forget_idle(
      std::chrono::milliseconds elapsed, std::chrono::milliseconds limit) const;

  /// What was dropped since the last call.
  [[nodiscard]] asio::awaitable<Result<DropReport>> take_drop_report() const;

  /// The highest levels since the last call.
  [[nodiscard]] asio::awaitable<Result<Peaks>> take_peaks() const;

  /// For a new aggregator, before anything is sent to it: takes up what another one has left. The
  /// frames get the first places in the buffer, in their order, and its policy applies to them;
  /// under `WhenFull::backpressure` none is lost, and the buffer may stand above its bounds. Where
  /// the ledger has more frames buffered than there are, the others count as dropped
  /// (`DropReason::not_restored`); without a ledger the frames count as received.
  [[nodiscard]] asio::awaitable<Result<AggregatorStats>> restore(SavedState saved) const;

  /// From now on other limits apply, to what is in the buffer too: the policy drops what is beyond
  /// them, or lets nothing in until it has been drained. `max_tracked` forgets no origin.
  [[nodiscard]] asio::awaitable<error_code> set_limits(
      BufferLimits limits, std::size_t max_tracked,
      std::uint32_t reset_after = default_reset_after) const;

  /// Before a stop: from now on a full buffer holds nothing back, so that sessions can hand over
  /// what they have read, and the channel empties. Bounds are exceeded by at most that.
  [[nodiscard]] asio::awaitable<error_code> release_backpressure() const;

  /// Ends the aggregator for all handles: takes what is in the channel, as after
  /// `release_backpressure`, and returns the last figures and everything that it still has.
  /// Other calls fail from now on with Errc::aggregator_shut_down, also sends that wait; those
  /// whose request was on its way fail with Errc::reply_dropped.
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
/// Throws std::invalid_argument where an option is 0, or where two consumers have one name.
[[nodiscard]] AggregatorHandle spawn_aggregator(const asio::any_io_executor& executor,
                                                const AggregatorOptions& options);

}  // namespace meridian::inline v1
