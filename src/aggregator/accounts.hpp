/// What became of frames: the ledger, the statistics per origin and the drops to report, kept in
/// step.
#pragma once

#include "aggregator/amounts.hpp"
#include "aggregator/given_up.hpp"
#include "aggregator/origin_table.hpp"
#include "aggregator/reports.hpp"

#include <meridian/aggregator.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace meridian::inline v2::aggregator {

/// Not thread-safe: owned by the aggregator.
class Accounts {
 public:
  explicit Accounts(std::size_t max_tracked, std::uint32_t reset_after = default_reset_after)
      : origins_(max_tracked, reset_after) {}

  /// Restores the counts of another aggregator. Must be called before anything is counted here. If
  /// an origin is missing from these counts, its restored frames are counted as if they arrived
  /// now.
  void restore(const SavedState& saved);

  void set_tracking(std::size_t max_tracked, std::uint32_t reset_after) noexcept {
    origins_.set_tracking(max_tracked, reset_after);
  }

  /// Where a batch comes in the order of its session: after everything that the session sent
  /// earlier (`as_sent`), or ahead of other satellites' frames (`satellite_ahead`). In the second
  /// case all of its frames are of one satellite, and come after the earlier frames of that
  /// satellite.
  enum class Order : std::uint8_t { as_sent, satellite_ahead };

  /// A batch arrived from the channel, whatever becomes of it.
  void received(const FrameBatch& batch, Order order = Order::as_sent);

  /// When the sequences of a batch are judged: now, or once earlier batches of its session have
  /// left the channel.
  enum class Judge : std::uint8_t { now, later };

  /// A session gave up a batch, which counts as received. `Judge::later`: earlier batches may still
  /// be in the channel.
  void given_up(const FrameBatch& batch, Judge when);

  /// Everything that was sent so far has been received.
  void caught_up();

  /// The buffer dropped frames that were received.
  void dropped(DropReason reason, const FrameBatch& batch);

  void drained(std::uint64_t frames) noexcept { ledger_.drained += frames; }
  void put_back(std::uint64_t frames) { subtract_from(ledger_.drained, frames); }
  void delivered(std::uint64_t frames) noexcept { ledger_.delivered += frames; }
  void flushed(std::uint64_t frames) noexcept { ledger_.flushed += frames; }

  /// The ledger with what is buffered and leased now.
  [[nodiscard]] Ledger ledger(std::uint64_t buffered, std::uint64_t leased) const;

  /// As in `OriginTable`.
  OriginTable::Forgotten forget(SatelliteId satellite_id, std::optional<ChannelId> channel_id,
                                std::size_t from, std::size_t count) {
    return origins_.forget(satellite_id, channel_id, from, count);
  }
  OriginTable::Forgotten age(const OriginTable::Aging& aging, std::size_t from, std::size_t count) {
    return origins_.age(aging, from, count);
  }

  /// Throws std::logic_error if a ledger does not balance, which only a bug can cause: a daemon
  /// that miscounts must not go on.
  static void check(const Ledger& ledger);

  [[nodiscard]] const OriginTable& origins() const noexcept { return origins_; }

  [[nodiscard]] DropReport take_drop_report();

 private:
  void judge(const std::vector<GivenUp::Piece>& pieces);
  void report(DropReason reason, SatelliteId satellite_id, std::uint64_t frames);

  Ledger ledger_;
  OriginTable origins_;
  GivenUp given_up_;
  DropReport drops_;
};

}  // namespace meridian::inline v2::aggregator
