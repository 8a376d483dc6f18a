// Families about frames: what became of them, where they wait, and their sequences.
#include "http/metrics_by_subject.hpp"

#include <cstdint>

namespace meridian::http {

namespace {

constexpr double microseconds_per_second = 1e6;

}  // namespace

void add_ledger(Families& to, const AggregatorStats& stats) {
  const Ledger& ledger = stats.ledger;
  const std::uint64_t lent = stats.buffer.lent.frames;
  to.counter("meridian_frames_received_total",
             "Frames that left the channel, whatever became of them, and frames given up because "
             "the channel was full. Frames that wait in the channel are not counted yet. Continues "
             "across restarts.",
             ledger.received);
  to.counter("meridian_frames_drained_total",
             "Frames that control clients have drained, including those of committed leases. "
             "Continues across restarts.",
             ledger.drained - lent);
  to.gauge("meridian_frames_lent",
           "Frames on their way to a control client. They go back to the buffer if the answer "
           "cannot be written, so they do not count as drained yet: no counter ever falls.",
           lent);
  to.gauge("meridian_frames_leased",
           "Frames that are kept aside until their lease ends. They count against the bounds of "
           "the buffer.",
           ledger.leased);
  to.gauge("meridian_leased_bytes", "Bytes of the leased frames, headers included.",
           stats.buffer.leased.bytes);
  to.gauge("meridian_leases", "Leases that are open.", stats.leases.open);
  to.by_reason("meridian_leases_ended_total", "Leases that have ended, by reason.", all_lease_ends,
               stats.leases.ended);
  to.counter("meridian_frames_delivered_total",
             "Frames that left the buffer because all sinks have them or, where the buffer was "
             "full, because all sinks that hold frames have them. Continues across restarts.",
             ledger.delivered);
  to.counter("meridian_frames_flushed_total",
             "Frames that were discarded on demand, by a flush. Continues across restarts.",
             ledger.flushed);
  to.by_reason("meridian_frames_dropped_total",
               "Frames that the daemon dropped, by reason. Continues across restarts.",
               all_drop_reasons, ledger.dropped);
  to.counter("meridian_received_bytes_total",
             "Bytes of the frames received, headers included. Continues across restarts.",
             stats.origins.bytes);
}

void add_levels(Families& to, const AggregatorStats& stats, const aggregator::Peaks& peaks) {
  const BufferLevel& buffer = stats.buffer;
  to.gauge("meridian_buffer_frames", "Frames in the buffer.", buffer.now.frames);
  to.gauge("meridian_buffer_bytes", "Bytes of the frames in the buffer, headers included.",
           buffer.now.bytes);
  to.gauge("meridian_buffer_max_frames",
           "How many frames the buffer may hold: `buffer.max_frames`.", buffer.limits.max_frames);
  to.gauge("meridian_buffer_max_bytes", "How many bytes the buffer may hold: `buffer.max_bytes`.",
           buffer.limits.max_bytes);
  to.gauge("meridian_buffer_peak_frames", "Most frames in the buffer in the last minute.",
           peaks.buffer.frames);
  to.gauge("meridian_buffer_peak_bytes", "Most bytes in the buffer in the last minute.",
           peaks.buffer.bytes);
  to.gauge("meridian_channel_batches",
           "Batches in the channel, between the sessions and the buffer.", stats.channel.length);
  to.gauge("meridian_channel_capacity_batches",
           "How many batches the channel may hold: `channel.capacity`.", stats.channel.capacity);
  to.gauge("meridian_channel_peak_batches", "Most batches in the channel in the last minute.",
           peaks.channel);
}

void add_sequences(Families& to, const OriginTotals& totals) {
  to.counter("meridian_sequence_gaps_total",
             "How often sequences were skipped, over all satellites. Continues across restarts.",
             totals.gaps);
  to.counter("meridian_sequence_missing_total",
             "How many sequences were skipped, over all satellites. The count stops at 2^64 - 1, "
             "which a few gaps of a 64-bit sequence can reach. Continues across restarts.",
             totals.missing);
  to.counter("meridian_sequence_duplicates_total",
             "Frames with the same sequence as the one before, over all satellites. Continues "
             "across restarts.",
             totals.duplicates);
  to.counter(
      "meridian_sequence_late_total",
      "Frames whose sequence comes before the last one, over all satellites. Those at the end "
      "of a stream are counted only once a later frame shows that they do not begin a "
      "reset. Continues across restarts.",
      totals.late);
  to.counter(
      "meridian_sequence_jumps_total",
      "Frames whose sequence is more than a quarter of the counter's range ahead, too few in a row "
      "for a reset, over all satellites. Those at the end of a stream are counted only once a "
      "later frame shows that they do not begin a reset. Continues across restarts.",
      totals.jumps);
  to.counter("meridian_sequence_resets_total",
             "How often a sequence counter started over, over all satellites: "
             "`satellites.reset_after_frames` frames in a row, each one sequence after the one "
             "before, that would otherwise be late or jumps. Continues across restarts.",
             totals.resets);
}

void add_arrivals(Families& to, const Arrivals& arrivals) {
  to.histogram("meridian_ingest_latency_seconds",
               "Time from when a batch is read until the buffer has it. Under backpressure this "
               "includes the wait for room.",
               arrivals.latency_us, ingest_latency_bounds, microseconds_per_second);
  to.histogram("meridian_batch_frames", "Frames in a batch, which is what one read brings.",
               arrivals.batch_frames, batch_frames_bounds, 1);
}

void add_tails(Families& to, const TailCounts& tails) {
  to.gauge("meridian_tail_watchers", "Clients that watch frames as they come.", tails.watchers);
  to.counter("meridian_tail_lost_frames_total",
             "Copies of frames that slow watchers missed. The frames themselves are not "
             "affected, so this needs no alert.",
             tails.lost);
}

}  // namespace meridian::http
