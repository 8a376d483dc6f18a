/// Figures in the text format of Prometheus.
#pragma once

#include "http/scrape.hpp"
#include "status/sink_table.hpp"

#include <string>
#include <vector>

namespace meridian::http {

[[nodiscard]] std::vector<SinkSample> sink_samples(const status::SinkTable& sinks);

/// Names and units follow the conventions of Prometheus. Frames on their way to a client may still
/// go back. They are counted as drained only once their answer is written, so that no counter ever
/// falls.
[[nodiscard]] std::string encode_metrics(const Scrape& scrape);

}  // namespace meridian::http
