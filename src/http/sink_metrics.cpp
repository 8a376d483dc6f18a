// Families about sinks: what each of them and its consumer are doing, and what they have done.
#include "http/metrics_by_subject.hpp"
#include "status/lag.hpp"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <prometheus/metric_family.h>

namespace meridian::http {

namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

}  // namespace

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
      "Acknowledged messages that the stream already had, because an earlier answer was lost. It "
      "stores each once.",
      counter, [](const Figures& sink, const Stats&) { return sink.duplicates; });
  add("meridian_sink_retried_messages_total",
      "Messages that the sink tried again: it looked for them in the stream, or published them "
      "once more.",
      counter, [](const Figures& sink, const Stats&) { return sink.retried; });
}

void add_sink_reasons(Families& to, const Scrape& scrape) {
  MetricFamily& refused = to.add(
      "meridian_sink_refused_total",
      "Messages, connections and look-ups of the stream that were refused, by reason. The sink "
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

}  // namespace meridian::http
