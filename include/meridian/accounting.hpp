/// What an aggregator counts: the ledger, levels, and sums.
///
/// Stable: see <meridian/version.hpp>.
#pragma once

#include <meridian/aggregator_options.hpp>
#include <meridian/amount.hpp>
#include <meridian/channel.hpp>
#include <meridian/distribution.hpp>
#include <meridian/frame.hpp>
#include <meridian/named.hpp>
#include <meridian/positions.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace meridian::inline v2 {

/// Why a frame was dropped. Counted per reason. Saved states have the counts in the order of these
/// numbers, so a number never changes and new reasons come last.
enum class DropReason : std::uint8_t {
  buffer_full_oldest = 0,
  buffer_full_newest = 1,
  channel_full = 2,
  not_restored = 3,
  lease_evicted = 4,
  consumer_behind = 5,
};
inline constexpr std::array<Named<DropReason>, 6> drop_reasons{{
    {DropReason::buffer_full_oldest, "buffer_full_oldest",
     "The buffer was full, and its oldest frames made room."},
    {DropReason::buffer_full_newest, "buffer_full_newest",
     "The buffer was full when the frame arrived, or the frame is larger than the whole buffer."},
    {DropReason::channel_full, "channel_full",
     "The channel was full, and the listener drops instead of waiting."},
    {DropReason::not_restored, "not_restored",
     "The frame was saved at a stop and could not be read back at the start."},
    {DropReason::lease_evicted, "lease_evicted",
     "The frame was leased, and its lease was ended to make room: new frames came (`drop_oldest`), "
     "or a reload lowered the limits."},
    {DropReason::consumer_behind, "consumer_behind",
     "The frame made room for newer ones, and only sinks that may skip (`skip_oldest`) still "
     "needed it."},
}};
inline constexpr auto all_drop_reasons = values_of(drop_reasons);
[[nodiscard]] constexpr std::string_view name_of(DropReason reason) noexcept {
  return name_in(drop_reasons, reason);
}

/// What has become of every frame. Balances at any moment:
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
  Amount now;
  Amount high_water;
  BufferLimits limits;
  Amount lent{};    ///< taken by `lend`, and not yet settled or put back
  Amount leased{};  ///< counts against the limits, and is not part of `now`
};

/// Upper bounds of the ranges in `Arrivals::latency_us`, in microseconds.
inline constexpr std::array<std::uint64_t, 14> ingest_latency_bounds{
    50,     100,    250,     500,     1'000,     2'500,     5'000,
    10'000, 25'000, 100'000, 250'000, 1'000'000, 5'000'000, 30'000'000};
/// Upper bounds of the ranges in `Arrivals::batch_frames`, in frames.
inline constexpr std::array<std::uint64_t, 9> batch_frames_bounds{1,     4,     16,     64,    256,
                                                                  1'024, 4'096, 16'384, 65'536};

/// Covers the batches that have left the channel. Each batch counts once, as a whole, even if the
/// buffer takes it in parts.
struct Arrivals {
  Distribution<ingest_latency_bounds> latency_us;  ///< from the read until all of the batch is in
  Distribution<batch_frames_bounds> batch_frames;
};

/// Sums over all origins.
struct OriginTotals {
  std::uint64_t origins = 0;           ///< those that are tracked
  std::uint64_t max_tracked = 0;       ///< the limit on `origins`
  std::uint64_t untracked_frames = 0;  ///< frames of all other origins
  std::uint64_t bytes = 0;             ///< octets of frames, headers included
  std::uint64_t gaps = 0;
  std::uint64_t missing = 0;  ///< saturates
  std::uint64_t duplicates = 0;
  std::uint64_t late = 0;   ///< without unsettled frames
  std::uint64_t jumps = 0;  ///< without unsettled frames
  std::uint64_t resets = 0;
};

/// Watchers: see <meridian/tail.hpp>.
struct TailCounts {
  std::uint64_t watchers = 0;
  std::uint64_t lost = 0;  ///< since the start: frames that slow watchers lost, per watcher
};

/// How a lease ended. Counted.
enum class LeaseEnd : std::uint8_t {
  committed,
  released,
  expired,
  evicted,
};
inline constexpr std::array<Named<LeaseEnd>, 4> lease_ends{{
    {LeaseEnd::committed, "committed", "The client has the frames, and they are gone for good."},
    {LeaseEnd::released, "released", "The client gave the frames back, or its connection ended."},
    {LeaseEnd::expired, "expired", "The time of the lease ran out, and its frames went back."},
    {LeaseEnd::evicted, "evicted",
     "The leased frames were dropped to make room: new frames came (`drop_oldest`), or a reload "
     "lowered the limits."},
}};
inline constexpr auto all_lease_ends = values_of(lease_ends);
[[nodiscard]] constexpr std::string_view name_of(LeaseEnd end) noexcept {
  return name_in(lease_ends, end);
}

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

}  // namespace meridian::inline v2
