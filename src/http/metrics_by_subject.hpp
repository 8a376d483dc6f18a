/// Writes the families of metrics, subject by subject.
#pragma once

#include "aggregator/reports.hpp"
#include "http/metric_families.hpp"
#include "http/scrape.hpp"
#include "runtime/faults.hpp"
#include "status/control_counts.hpp"
#include "status/process_figures.hpp"
#include "status/state_report.hpp"
#include "status/uplink_table.hpp"

#include <meridian/accounting.hpp>

namespace meridian::http {

// Frames: frame_metrics.cpp.
void add_ledger(Families& to, const AggregatorStats& stats);
void add_levels(Families& to, const AggregatorStats& stats, const aggregator::Peaks& peaks);
void add_sequences(Families& to, const OriginTotals& totals);
void add_arrivals(Families& to, const Arrivals& arrivals);
void add_tails(Families& to, const TailCounts& tails);

// Satellites: satellite_metrics.cpp.
void add_satellites(Families& to, const Scrape& scrape);
/// One series for each satellite that has a channel with series of its own.
void add_silence(Families& to, const Scrape& scrape);

// Sinks: sink_metrics.cpp.
/// What each sink and its consumer are doing, and what they have done.
void add_sinks(Families& to, const Scrape& scrape);
/// What servers refused to sinks, and what sinks skipped, by reason.
void add_sink_reasons(Families& to, const Scrape& scrape);

// The daemon: daemon_metrics.cpp.
void add_sessions(Families& to, const status::SessionCounts& sessions);
void add_clients(Families& to, const status::ControlCounts& control, const ClientCounts& http);
void add_faults(Families& to, const runtime::Faults::Counts& faults);
void add_log(Families& to, const LogCounts& log);
void add_state(Families& to, const status::StateReport& state);
/// Figures of the process, under the names that all exporters use.
void add_process(Families& to, const status::ProcessFigures& process);

}  // namespace meridian::http
