// Calls of Holdings about everything at once: its figures, the restore, and the end.
#include "aggregator/holdings.hpp"

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace meridian::inline v2::aggregator {

namespace {

/// Gives places to batches that have none, counting from 1.
void give_places(std::vector<BufferedBatch>& batches, std::optional<SavedPositions>& positions) {
  std::uint64_t next = 1;
  for (BufferedBatch& buffered : batches) {
    if (buffered.place < next) {
      // The positions, if there are any, refer to other places.
      positions.reset();
      buffered.place = next;
    }
    next = buffered.places().end();
  }
}

}  // namespace

void Holdings::restore(SavedState saved) {
  accounts_.restore(saved);
  give_places(saved.frames, saved.positions);
  std::uint64_t next_place = 0;
  std::vector<SavedConsumer> positions;
  if (saved.positions) {
    next_place = saved.positions->next_place;
    positions = std::move(saved.positions->consumers);
  }
  consumers_.restore(positions, saved.frames);
  const std::vector<PlaceRange> restored = to_deliver(saved.frames);
  buffer_.restore(std::move(saved.frames), next_place, !consumers_.empty());
  for (const PlaceRange& range : restored) {
    deliver(range, Rest::has_come_back);  // there may be fewer consumers than there were
  }
}

AggregatorStats Holdings::stats(const ChannelLevel& channel) {
  AggregatorStats stats = unchecked_stats(channel);
  Accounts::check(stats.ledger);
  return stats;
}

AggregatorStats Holdings::unchecked_stats(const ChannelLevel& channel) {
  return {.ledger = accounts_.ledger(buffer_.depth().frames, buffer_.leased().frames),
          .buffer = buffer_.level(),
          .channel = channel,
          .origins = accounts_.origins().totals(),
          .arrivals = arrivals_,
          .tails = tails_.counts(),
          .leases = leases_.counts(),
          .consumers = consumers_.stats(buffer_)};
}

FinalState Holdings::close(const ChannelLevel& channel) {
  for (Leases::Lease& lease : leases_.release_all()) {
    give_back_marked(std::move(lease));
  }
  while (put_back_some()) {
  }
  FinalState last{.stats = unchecked_stats(channel), .saved = {}};
  empty_into(last);
  return last;
}

FinalState Holdings::rescue(const ChannelLevel& channel) {
  FinalState last;
  last.stats.channel = channel;
  last.stats.buffer = buffer_.level();
  last.stats.ledger = accounts_.ledger(buffer_.depth().frames, buffer_.leased().frames);
  empty_into(last);
  for (BufferedBatch& buffered : returning_) {
    last.saved.frames.push_back(std::move(buffered));  // those that could not be put back
  }
  return last;
}

void Holdings::empty_into(FinalState& last) {
  last.saved.ledger = last.stats.ledger;
  last.saved.origins = accounts_.origins().all();
  last.saved.forgotten = accounts_.origins().forgotten();
  last.saved.positions = SavedPositions{
      .epoch = epoch_, .next_place = buffer_.end_place(), .consumers = consumers_.saved()};
  for (auto& [place, batch] : buffer_.take_all()) {
    last.saved.frames.push_back({place, std::move(batch)});
  }
}

}  // namespace meridian::inline v2::aggregator
