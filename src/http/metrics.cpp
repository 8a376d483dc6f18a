#include "http/metrics.hpp"

#include "http/metrics_by_subject.hpp"
#include "status/version.hpp"

#include <string>
#include <utility>
#include <vector>

#include <prometheus/metric_family.h>

namespace meridian::http {

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
                   prometheus::MetricType::Gauge),
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
  add_faults(families, scrape.stats.faults);
  add_log(families, scrape.log);
  add_state(families, scrape.stats.state);
  if (scrape.process) {
    add_process(families, *scrape.process);
  }
  return std::move(families).text();
}

}  // namespace meridian::http
