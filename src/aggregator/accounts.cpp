#include "aggregator/accounts.hpp"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace meridian::inline v2::aggregator {

namespace {

/// The most satellites that a log line names: nobody would read a longer one.
constexpr std::size_t max_reported_satellites = 8;

}  // namespace

void Accounts::restore(const SavedState& saved) {
  origins_.restore(saved.origins, saved.forgotten);
  std::uint64_t frames = 0;
  for (const BufferedBatch& buffered : saved.frames) {
    const FrameBatch& batch = buffered.batch;
    frames += batch.frames();
    batch.for_each_run([&](const Run& run) {
      if (!origins_.knows(run.origin)) {
        origins_.count(run, batch.stamp().received_at);
        origins_.judge(run, batch.stamp().width);
      }
    });
  }
  if (!saved.ledger || !saved.ledger->balanced() || saved.ledger->buffered < frames) {
    ledger_.received = frames;
    return;
  }
  ledger_ = *saved.ledger;
  ledger_.dropped_for(DropReason::not_restored) += ledger_.buffered - frames;
}

void Accounts::received(const FrameBatch& batch, Order order) {
  if (!given_up_.empty()) {
    const std::optional<SatelliteId> only =
        order == Order::satellite_ahead ? std::optional((*batch.begin()).header.origin.satellite_id)
                                        : std::nullopt;
    judge(given_up_.take_before(batch.stamp(), only));
  }
  ledger_.received += batch.frames();
  batch.for_each_run([&](const Run& run) {
    origins_.count(run, batch.stamp().received_at);
    origins_.judge(run, batch.stamp().width);
  });
}

void Accounts::given_up(const FrameBatch& batch, Judge when) {
  const ReadStamp& stamp = batch.stamp();
  if (when == Judge::now && !given_up_.empty()) {
    judge(given_up_.take_session(stamp.session));
  }
  ledger_.received += batch.frames();
  ledger_.dropped_for(DropReason::channel_full) += batch.frames();
  batch.for_each_run([&](const Run& run) {
    origins_.count(run, stamp.received_at);
    origins_.dropped(run.origin, run.frames);
    report(DropReason::channel_full, run.origin.satellite_id, run.frames);
    if (when == Judge::now || !given_up_.add(run, stamp)) {
      origins_.judge(run, stamp.width);
    }
  });
}

void Accounts::caught_up() {
  if (!given_up_.empty()) {
    judge(given_up_.take_all());
  }
}

void Accounts::judge(const std::vector<GivenUp::Piece>& pieces) {
  for (const GivenUp::Piece& piece : pieces) {
    origins_.judge(piece.run, piece.width);
  }
}

void Accounts::dropped(DropReason reason, const FrameBatch& batch) {
  ledger_.dropped_for(reason) += batch.frames();
  batch.for_each_run([&](const Run& run) {
    origins_.dropped(run.origin, run.frames);
    report(reason, run.origin.satellite_id, run.frames);
  });
}

Ledger Accounts::ledger(std::uint64_t buffered, std::uint64_t leased) const {
  Ledger ledger = ledger_;
  ledger.buffered = buffered;
  ledger.leased = leased;
  return ledger;
}

void Accounts::check(const Ledger& ledger) {
  if (!ledger.balanced()) {
    throw std::logic_error(
        "the ledger does not balance: received " + std::to_string(ledger.received) + ", buffered " +
        std::to_string(ledger.buffered) + ", leased " + std::to_string(ledger.leased));
  }
}

void Accounts::report(DropReason reason, SatelliteId satellite_id, std::uint64_t frames) {
  DropReport::Entry& entry = drops_.by_reason.at(static_cast<std::size_t>(reason));
  entry.frames += frames;
  if (std::ranges::find(entry.satellites, satellite_id) != entry.satellites.end()) {
    return;
  }
  if (entry.satellites.size() == max_reported_satellites) {
    entry.more_satellites = true;
    return;
  }
  entry.satellites.push_back(satellite_id);
}

DropReport Accounts::take_drop_report() {
  return std::exchange(drops_, {});
}

}  // namespace meridian::inline v2::aggregator
