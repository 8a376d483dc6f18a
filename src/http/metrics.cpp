#include "http/metrics.hpp"

#include "http/metric_families.hpp"
#include "status/lag.hpp"
#include "status/version.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include <prometheus/metric_family.h>

namespace meridian::http {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Label = ClientMetric::Label;

constexpr double microseconds_per_second = 1e6;

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

void add_sessions(Families& to, const status::SessionCounts& sessions) {
  to.gauge("meridian_sessions_open", "Uplink sessions that are open.", sessions.open);
  to.counter("meridian_sessions_accepted_total",
             "Connections to an uplink listener, including those that were turned away.",
             sessions.accepted);
  to.by_reason("meridian_sessions_closed_total", "Uplink sessions that have ended, by reason.",
               status::all_close_reasons, sessions.closed);
  to.by_reason("meridian_streams_malformed_total",
               "Streams that could not be trusted any further, by reason.", all_malformed,
               sessions.malformed);
  to.counter("meridian_streams_truncated_total", "Streams that ended in the middle of a frame.",
             sessions.truncated);
  to.counter(
      "meridian_streams_implausible_total",
      "Streams that parse as space packets but probably are something else: of the first packets "
      "whose APID has been seen before, most have a sequence count that does not follow the last "
      "one. The packets are kept, and the log says so once for each listener.",
      sessions.implausible);
  to.counter("meridian_idle_packets_total", "Idle space packets, which are not kept.",
             sessions.idle_packets);
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
  to.counter("meridian_sequence_late_total",
             "Frames whose sequence is behind the last one, over all satellites. Those at the end "
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

std::vector<Label> labels_of(const OriginStats& stats) {
  const auto label = [&](auto member) {
    return stats.origin ? std::to_string((*stats.origin).*member) : "other";
  };
  return {{"satellite_id", label(&Origin::satellite_id)},
          {"channel_id", label(&Origin::channel_id)}};
}

StoredStats stored_of(const OriginStats& stats) {
  return stats.stored.value_or(StoredStats{});
}

/// Counters of one origin.
struct Series {
  const char* name;
  const char* help;
  std::uint64_t (*figure)(const OriginStats&);
};

// A reset takes back unsettled frames, so they are not reported yet: no counter may fall.
constexpr Series all_series[] = {
    {"meridian_satellite_frames_total",
     "Frames of a satellite's channel. Continues across restarts.",
     [](const OriginStats& stats) { return stats.frames; }},
    {"meridian_satellite_bytes_total",
     "Bytes of the frames of a satellite's channel, headers included. Continues across restarts.",
     [](const OriginStats& stats) { return stats.bytes; }},
    {"meridian_satellite_gaps_total",
     "How often sequences of a satellite's channel were skipped. Continues across restarts.",
     [](const OriginStats& stats) { return stats.gaps; }},
    {"meridian_satellite_missing_total",
     "How many sequences of a satellite's channel were skipped. Continues across restarts.",
     [](const OriginStats& stats) { return stats.missing; }},
    {"meridian_satellite_duplicates_total",
     "Frames of a satellite's channel with the same sequence as the one before. Continues across "
     "restarts.",
     [](const OriginStats& stats) { return stats.duplicates; }},
    {"meridian_satellite_late_total",
     "Frames of a satellite's channel whose sequence is behind the last one. Continues across "
     "restarts.",
     [](const OriginStats& stats) { return stats.late - stats.unsettled.late; }},
    {"meridian_satellite_jumps_total",
     "Frames of a satellite's channel whose sequence is more than a quarter of the counter's "
     "range ahead, too few in a row for a reset. Continues across restarts.",
     [](const OriginStats& stats) { return stats.jumps - stats.unsettled.jumps; }},
    {"meridian_satellite_resets_total",
     "How often the sequence counter of a satellite's channel started over. Continues across "
     "restarts.",
     [](const OriginStats& stats) { return stats.resets; }},
    {"meridian_satellite_stored_frames_total",
     "Frames of a satellite's channel that were played back (the flag `stored`). Their sequences "
     "are tracked apart; all other series of the channel include live and stored frames. "
     "Continues across restarts.",
     [](const OriginStats& stats) { return stored_of(stats).frames; }},
    {"meridian_satellite_stored_missing_total",
     "How many of the missing sequences of a satellite's channel lie between frames that were "
     "played back. Continues across restarts.",
     [](const OriginStats& stats) { return stored_of(stats).sequences.missing; }},
    {"meridian_satellite_dropped_total",
     "Frames of a satellite's channel that the daemon dropped. Continues across restarts.",
     [](const OriginStats& stats) { return stats.dropped; }}};

void add_satellites(Families& to, const Scrape& scrape) {
  const std::vector<OriginStats>& listed = scrape.satellites;
  const OriginStats& rest = scrape.other_satellites;
  for (const Series& series : all_series) {
    MetricFamily& family = to.add(series.name, series.help, MetricType::Counter);
    for (const OriginStats& origin : listed) {
      Families::add_value(family, labels_of(origin), series.figure(origin));
    }
    if (rest.frames > 0) {
      Families::add_value(family, labels_of(rest), series.figure(rest));
    }
  }
  MetricFamily& last_seen = to.add("meridian_satellite_last_seen_timestamp_seconds",
                                   "When a satellite's channel was last heard, in seconds since "
                                   "1970. There is no such series for `other`.",
                                   MetricType::Gauge);
  for (const OriginStats& origin : listed) {
    Families::add_value(
        last_seen, labels_of(origin),
        std::chrono::duration<double>(origin.last_seen_at.time_since_epoch()).count());
  }
  const OriginTotals& totals = scrape.stats.aggregator.origins;
  to.gauge("meridian_satellites_beyond_cap",
           "Pairs of satellite and channel that are tracked and have no series of their own.",
           totals.origins - std::min<std::uint64_t>(totals.origins, listed.size()));
  to.gauge("meridian_satellites_tracked",
           "Pairs of satellite and channel that have a state of their own.", totals.origins);
  to.gauge("meridian_satellites_max_tracked",
           "How many pairs of satellite and channel may be tracked: `satellites.max_tracked`.",
           totals.max_tracked);
  to.counter("meridian_untracked_frames_total",
             "Frames of pairs of satellite and channel beyond `satellites.max_tracked`. The daemon "
             "does not follow their sequences. Continues across restarts.",
             totals.untracked_frames);
}

/// One series for each satellite that has a channel with series of its own.
void add_silence(Families& to, const Scrape& scrape) {
  to.gauge("meridian_satellites_silent",
           "Satellites that have not been heard for `satellites.silent_after_s`, including those "
           "without series of their own.",
           scrape.silent.satellites.size());
  MetricFamily& family =
      to.add("meridian_satellite_silent",
             "1 while a satellite has not been heard for `satellites.silent_after_s`, otherwise 0.",
             MetricType::Gauge);
  std::set<SatelliteId> satellites;
  for (const OriginStats& stats : scrape.satellites) {
    satellites.insert(stats.origin->satellite_id);
  }
  for (const SatelliteId satellite : satellites) {
    Families::add_value(family, {{"satellite_id", std::to_string(satellite)}},
                        scrape.silent.contains(satellite) ? 1 : 0);
  }
}

void add_tails(Families& to, const TailCounts& tails) {
  to.gauge("meridian_tail_watchers", "Clients that watch frames as they come.", tails.watchers);
  to.counter("meridian_tail_lost_frames_total",
             "Copies of frames that slow watchers missed. The buffer still has the frames, so this "
             "is no reason for an alert.",
             tails.lost);
}

/// What each sink and its consumer are doing, and what they have done.
void add_sinks(Families& to, const Scrape& scrape) {
  const std::vector<ConsumerStats>& consumers = scrape.stats.aggregator.consumers;
  const auto add = [&](std::string name, std::string help, MetricType type, auto value_of) {
    MetricFamily& family = to.add(std::move(name), std::move(help), type);
    for (const SinkSample& sink : scrape.sinks) {
      Families::add_value(family, {{"sink", sink.name}},
                          value_of(sink.figures, status::consumer_of(sink.name, consumers)));
    }
  };
  using Figures = status::SinkFigures;
  using Stats = ConsumerStats;
  constexpr auto gauge = MetricType::Gauge;
  constexpr auto counter = MetricType::Counter;
  add("meridian_sink_connected",
      "1 while the sink is connected to a server, otherwise 0. Series of sinks come in the order "
      "of the configuration; without `sinks` there are none.",
      gauge, [](const Figures& sink, const Stats&) { return sink.server ? 1 : 0; });
  add("meridian_sink_lag_frames",
      "Frames that the sink has yet to deliver, unread or not acknowledged, and that the daemon "
      "still has: in the buffer, lent or leased.",
      gauge, [](const Figures&, const Stats& consumer) { return consumer.lag.frames; });
  add("meridian_sink_lag_bytes",
      "Bytes of the frames that the sink has yet to deliver, headers included.", gauge,
      [](const Figures&, const Stats& consumer) { return consumer.lag.bytes; });
  add("meridian_sink_lag_seconds",
      "Time since the daemon received the oldest frame that the sink has yet to deliver. 0 if "
      "there is none.",
      gauge, [&](const Figures&, const Stats& consumer) {
        return status::lag_seconds(consumer, scrape.now);
      });
  add("meridian_sink_in_flight_messages",
      "Messages that the sink has published and the stream has not acknowledged yet.", gauge,
      [](const Figures& sink, const Stats&) { return sink.in_flight_messages; });
  add("meridian_sink_in_flight_bytes",
      "Bytes of the frames in messages that are not acknowledged yet. At most "
      "`max_in_flight_bytes` of the sink.",
      gauge, [](const Figures& sink, const Stats&) { return sink.in_flight_bytes; });
  add("meridian_sink_acknowledged_frames_total", "Frames that the sink's stream has.", counter,
      [](const Figures&, const Stats& consumer) { return consumer.acknowledged.frames; });
  add("meridian_sink_acknowledged_bytes_total",
      "Bytes of the frames that the sink's stream has, headers included.", counter,
      [](const Figures&, const Stats& consumer) { return consumer.acknowledged.bytes; });
  add("meridian_sink_acknowledged_messages_total",
      "Messages that the sink's stream has. Acknowledged frames divided by acknowledged messages "
      "is how many frames one message holds.",
      counter, [](const Figures& sink, const Stats&) { return sink.acknowledged_messages; });
  add("meridian_sink_duplicates_total",
      "Acknowledged messages that were found in the stream because an answer was lost. The stream "
      "stores them once.",
      counter, [](const Figures& sink, const Stats&) { return sink.duplicates; });
  add("meridian_sink_retried_messages_total",
      "Messages that the sink tried again: it looked for them in the stream, or published them "
      "once more.",
      counter, [](const Figures& sink, const Stats&) { return sink.retried; });
}

void add_sink_reasons(Families& to, const Scrape& scrape) {
  MetricFamily& refused =
      to.add("meridian_sink_refused_total",
             "Messages, connections and looks at the stream that were refused, by reason. The sink "
             "tries again, and the frames stay where they are.",
             MetricType::Counter);
  for (const SinkSample& sink : scrape.sinks) {
    for (const auto& [reason, count] : sink.figures.refused) {
      Families::add_value(refused, {{"sink", sink.name}, {"reason", reason}}, count);
    }
  }
  MetricFamily& skipped =
      to.add("meridian_sink_skipped_frames_total",
             "Frames that will not be in the sink's stream, by reason.", MetricType::Counter);
  for (const SinkSample& sink : scrape.sinks) {
    const ConsumerStats consumer =
        status::consumer_of(sink.name, scrape.stats.aggregator.consumers);
    for (const Skip reason : all_skips) {
      Families::add_value(skipped, {{"sink", sink.name}, {"reason", std::string(name_of(reason))}},
                          consumer.skipped.at(static_cast<std::size_t>(reason)));
    }
  }
}

void add_clients(Families& to, const status::ControlCounts& control, const ClientCounts& http) {
  to.gauge("meridian_control_clients", "Clients on the control socket.", control.clients);
  to.counter("meridian_control_accepted_total", "Control clients that have connected.",
             control.accepted);
  to.by_reason("meridian_control_cut_off_total",
               "Control clients that the daemon cut off, by reason.", status::all_cut_offs,
               control.cut_off);
  to.gauge("meridian_http_clients", "Clients of the HTTP server.", http.clients);
  to.counter("meridian_http_accepted_total", "HTTP clients that have connected.", http.accepted);
  to.counter("meridian_http_refused_total",
             "HTTP clients beyond `http.max_clients` that asked for anything but `/healthz`, "
             "`/readyz` or `/metrics`, and those beyond the 8 places reserved for these. Also "
             "connections that had asked for nothing and were closed to make room, and "
             "streams of events beyond `http.max_event_streams`.",
             http.refused);
  to.gauge("meridian_http_event_streams", "HTTP clients that watch events.", http.event_streams);
  to.counter("meridian_http_timed_out_total",
             "HTTP clients that did not send a request, or did not read an answer, within "
             "`http.timeout_s`. Connections kept open for another request are closed without being "
             "counted.",
             http.timed_out);
}

void add_log(Families& to, const LogCounts& log) {
  to.counter("meridian_log_lines_left_out_total",
             "Lines about peers that were not logged. The log takes 20 lines of each kind in a "
             "second, and then one that says how many more there were.",
             log.left_out);
  to.counter("meridian_log_lines_lost_total",
             "Lines that `log.target` did not take, or not as fast as they came. Nothing else "
             "waits for the log.",
             log.lost);
}

void add_state(Families& to, const status::StateReport& state) {
  to.gauge("meridian_state_restored_frames",
           "Frames that the last stop saved and this start restored.", state.restored);
  to.gauge("meridian_state_not_restored_frames",
           "Frames that the last stop saved and this start could not read.", state.not_restored);
  to.gauge("meridian_state_damaged_bytes",
           "Bytes of the saved state that this start could not read.", state.damaged_bytes);
}

/// Figures of the process, under the names that all exporters use.
void add_process(Families& to, const status::ProcessFigures& process) {
  to.counter("process_cpu_seconds_total",
             "User and system processor time. Metrics of the process have the names that all "
             "exporters use.",
             process.cpu_s);
  to.gauge("process_resident_memory_bytes", "Resident memory.", process.resident_bytes);
  to.gauge("process_virtual_memory_bytes", "Virtual memory.", process.virtual_bytes);
  to.gauge("process_open_fds", "Open file descriptors. Each session and each client has one.",
           process.open_descriptors);
  to.gauge("process_max_fds", "How many file descriptors may be open.", process.max_descriptors);
  to.gauge("process_threads", "Threads.", process.threads);
  to.gauge("process_start_time_seconds", "Start of this process, in seconds since 1970.",
           process.started_at_s);
}

}  // namespace

std::vector<SinkSample> sink_samples(const status::SinkTable& sinks) {
  std::vector<SinkSample> samples;
  for (const status::SinkRecord& sink : sinks) {
    samples.push_back({.name = sink.info().name, .figures = sink.figures()});
  }
  return samples;
}

std::string encode_metrics(const Scrape& scrape) {
  const AggregatorStats& stats = scrape.stats.aggregator;
  Families families;
  Families::add_value(
      families.add("meridian_build_info",
                   "Version and build of the running daemon, in the labels. The value is always 1.",
                   MetricType::Gauge),
      {{"version", std::string(status::version)}, {"build", std::string(status::build)}}, 1);
  add_ledger(families, stats);
  add_levels(families, stats, scrape.peaks);
  add_sessions(families, scrape.stats.sessions);
  add_sequences(families, stats.origins);
  add_arrivals(families, stats.arrivals);
  add_satellites(families, scrape);
  add_silence(families, scrape);
  add_sinks(families, scrape);
  add_sink_reasons(families, scrape);
  add_tails(families, stats.tails);
  add_clients(families, scrape.stats.control, scrape.http);
  families.by(
      "of", "meridian_faults_total",
      "Sessions that ended with an exception, from a bug or because memory ran out, by kind of "
      "session. Nothing else ends with them, and a sink carries on. The log names the exception.",
      runtime::all_fault_kinds, scrape.stats.faults);
  add_log(families, scrape.log);
  add_state(families, scrape.stats.state);
  if (scrape.process) {
    add_process(families, *scrape.process);
  }
  return std::move(families).text();
}

}  // namespace meridian::http
