#include "http/metrics_reference.hpp"

#include "http/metrics.hpp"

#include <sstream>
#include <string_view>
#include <utility>

namespace meridian::http {

namespace {

/// A scrape with one of everything, so that no family is empty.
Scrape example() {
  Scrape scrape;
  OriginStats satellite;
  satellite.origin = Origin{};
  scrape.satellites.push_back(satellite);
  SinkSample sink;
  sink.name = "archive";
  sink.figures.refused.emplace("unreachable", 0);
  scrape.sinks.push_back(std::move(sink));
  scrape.process.emplace();
  return scrape;
}

/// The names of the labels of a series: "a" and "b" of `name{a="1",b="2"} 3`.
std::vector<std::string> labels_in(std::string_view series) {
  std::vector<std::string> labels;
  std::size_t begin = series.find('{');
  while (begin != std::string_view::npos && begin < series.size()) {
    const std::size_t equals = series.find("=\"", begin + 1);
    if (equals == std::string_view::npos) {
      break;
    }
    labels.emplace_back(series.substr(begin + 1, equals - begin - 1));
    begin = series.find("\",", equals + 2);
    begin = begin == std::string_view::npos ? begin : begin + 1;
  }
  return labels;
}

}  // namespace

std::vector<MetricFacts> all_metrics() {
  std::vector<MetricFacts> metrics;
  std::istringstream text(encode_metrics(example()));
  constexpr std::string_view help = "# HELP ";
  constexpr std::string_view type = "# TYPE ";
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with(help)) {
      const std::size_t space = line.find(' ', help.size());
      metrics.push_back({.name = line.substr(help.size(), space - help.size()),
                         .type = {},
                         .labels = {},
                         .help = line.substr(space + 1)});
    } else if (line.starts_with(type)) {
      metrics.back().type = line.substr(line.rfind(' ') + 1);
    } else if (metrics.back().labels.empty()) {
      metrics.back().labels = labels_in(line);
    }
  }
  return metrics;
}

}  // namespace meridian::http
