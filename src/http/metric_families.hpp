/// Families of metrics, written one by one.
#pragma once

#include <cstddef>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

namespace meridian::http {

/// Writes families one after another, and so holds only one: those of the satellites are large.
class Families {
 public:
  /// Adds a family, which the caller may fill until it adds the next one.
  prometheus::MetricFamily& add(std::string name, std::string help, prometheus::MetricType type) {
    write_open();
    prometheus::MetricFamily& family = open_.emplace_back();
    family.name = std::move(name);
    family.help = std::move(help);
    family.type = type;
    return family;
  }

  template <typename Number>
  void counter(std::string name, std::string help, Number value) {
    add_value(add(std::move(name), std::move(help), prometheus::MetricType::Counter), {}, value);
  }
  template <typename Number>
  void gauge(std::string name, std::string help, Number value) {
    add_value(add(std::move(name), std::move(help), prometheus::MetricType::Gauge), {}, value);
  }

  /// One counter for each reason, including those at 0.
  template <typename Reasons, typename Counts>
  void by_reason(std::string name, std::string help, const Reasons& reasons, const Counts& counts) {
    by("reason", std::move(name), std::move(help), reasons, counts);
  }

  /// The same with a label other than "reason".
  template <typename Reasons, typename Counts>
  void by(const char* label, std::string name, std::string help, const Reasons& reasons,
          const Counts& counts) {
    prometheus::MetricFamily& family =
        add(std::move(name), std::move(help), prometheus::MetricType::Counter);
    for (const auto reason : reasons) {
      add_value(family, {{label, std::string(name_of(reason))}},
                counts.at(static_cast<std::size_t>(reason)));
    }
  }

  template <typename Distribution, typename Bounds>
  void histogram(std::string name, std::string help, const Distribution& distribution,
                 const Bounds& upper_bounds, double unit) {
    prometheus::MetricFamily& family =
        add(std::move(name), std::move(help), prometheus::MetricType::Histogram);
    prometheus::ClientMetric::Histogram& histogram = family.metric.emplace_back().histogram;
    for (std::size_t i = 0; i < distribution.counts().size(); ++i) {
      histogram.sample_count += distribution.counts().at(i);
      if (i < upper_bounds.size()) {
        histogram.bucket.push_back(
            {histogram.sample_count, static_cast<double>(upper_bounds.at(i)) / unit});
      }
    }
    histogram.sample_sum = static_cast<double>(distribution.sum()) / unit;
  }

  template <typename Number>
  static void add_value(prometheus::MetricFamily& family,
                        std::vector<prometheus::ClientMetric::Label> labels, Number value) {
    prometheus::ClientMetric& metric = family.metric.emplace_back();
    metric.label = std::move(labels);
    (family.type == prometheus::MetricType::Counter ? metric.counter.value : metric.gauge.value) =
        static_cast<double>(value);
  }

  [[nodiscard]] std::string text() && {
    write_open();
    return std::move(out_).str();
  }

 private:
  void write_open() {
    prometheus::TextSerializer().Serialize(out_, open_);
    open_.clear();
  }

  std::vector<prometheus::MetricFamily> open_;  // at most one
  std::ostringstream out_;
};

}  // namespace meridian::http
