// Families about satellites: a series for each channel of theirs, and which of them are silent.
#include "http/metrics_by_subject.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include <prometheus/metric_family.h>

namespace meridian::http {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Label = ClientMetric::Label;

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
     "Frames of a satellite's channel whose sequence comes before the last one. Continues across "
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
     "are tracked separately; all other series of the channel include live and stored frames. "
     "Continues across restarts.",
     [](const OriginStats& stats) { return stored_of(stats).frames; }},
    {"meridian_satellite_stored_missing_total",
     "How many of the missing sequences of a satellite's channel lie between frames that were "
     "played back. Continues across restarts.",
     [](const OriginStats& stats) { return stored_of(stats).sequences.missing; }},
    {"meridian_satellite_dropped_total",
     "Frames of a satellite's channel that the daemon dropped. Continues across restarts.",
     [](const OriginStats& stats) { return stats.dropped; }}};

}  // namespace

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
  to.gauge("meridian_satellites_tracked", "Pairs of satellite and channel that are tracked.",
           totals.origins);
  to.gauge("meridian_satellites_max_tracked",
           "How many pairs of satellite and channel may be tracked: `satellites.max_tracked`.",
           totals.max_tracked);
  to.counter("meridian_untracked_frames_total",
             "Frames of pairs of satellite and channel beyond `satellites.max_tracked`. The daemon "
             "does not follow their sequences. Continues across restarts.",
             totals.untracked_frames);
}

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

}  // namespace meridian::http
