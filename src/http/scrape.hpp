/// What is reported to a scrape.
#pragma once

#include "aggregator/reports.hpp"
#include "status/json.hpp"
#include "status/process_figures.hpp"
#include "status/silence.hpp"
#include "status/sink_table.hpp"

#include <meridian/aggregator.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace meridian::http {

/// What the server counts about its own clients.
struct ClientCounts {
  std::uint64_t clients = 0;
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;  ///< there was no place for them
  std::uint64_t event_streams = 0;
  std::uint64_t timed_out = 0;  ///< did not send a request, or read an answer, in time
};

/// Log lines that are not in the log.
struct LogCounts {
  std::uint64_t left_out = 0;  ///< there were many of their kind
  std::uint64_t lost = 0;      ///< the target did not take them
};

/// What is reported about a sink; its consumer has the same name.
struct SinkSample {
  std::string name;
  status::SinkFigures figures;
};

/// Everything that a scrape reports.
struct Scrape {
  status::Stats stats;
  aggregator::Peaks peaks;              ///< of the last minute
  std::size_t max_satellites = 0;       ///< how many may have series of their own
  std::vector<OriginStats> satellites;  ///< those with series of their own
  OriginStats other_satellites;         ///< the sum over the others
  status::SilentSatellites silent;
  std::vector<SinkSample> sinks;
  ReceiveTime now{};  ///< the lag of sinks is measured from here
  ClientCounts http;
  LogCounts log;
  std::optional<status::ProcessFigures> process;
};

}  // namespace meridian::http
