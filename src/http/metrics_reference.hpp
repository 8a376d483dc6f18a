/// All metrics, for the reference.
#pragma once

#include <string>
#include <vector>

namespace meridian::http {

struct MetricFacts {
  std::string name;
  std::string type;  ///< "counter", "gauge" or "histogram"
  std::vector<std::string> labels;
  std::string help;
};

/// The metrics of a daemon that has a sink and has heard a satellite, as a scrape returns them.
/// Empty in a build without HTTP.
[[nodiscard]] std::vector<MetricFacts> all_metrics();

}  // namespace meridian::http
