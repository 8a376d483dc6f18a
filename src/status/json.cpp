#include "status/json.hpp"

#include "status/lag.hpp"

#include <cstddef>

namespace meridian::status {

namespace {

/// {"reason": n} for all reasons, including those with 0.
template <typename Reasons, typename Counts>
Json by_reason(const Reasons& reasons, const Counts& counts) {
  Json json = Json::object();
  for (const auto reason : reasons) {
    json[std::string(name_of(reason))] = counts.at(static_cast<std::size_t>(reason));
  }
  return json;
}

template <typename T, typename Format>
Json or_null(const std::optional<T>& value, Format format) {
  return value ? Json(format(*value)) : Json(nullptr);
}

}  // namespace

Json to_json(const Amount& depth) {
  return {{"frames", depth.frames}, {"bytes", depth.bytes}};
}

Json to_json(const StateReport& state) {
  const auto as_is = [](const std::string& text) { return text; };
  return {{"directory", or_null(state.directory, as_is)},
          {"restored", state.restored},
          {"not_restored", state.not_restored},
          {"damaged_bytes", state.damaged_bytes},
          {"set_aside", or_null(state.set_aside, as_is)}};
}

Json to_json(const Stats& stats) {
  const Ledger& ledger = stats.aggregator.ledger;
  const BufferLevel& buffer = stats.aggregator.buffer;
  const ChannelLevel& channel = stats.aggregator.channel;
  const SessionCounts& sessions = stats.sessions;
  const ControlCounts& control = stats.control;
  const LeaseCounts& leases = stats.aggregator.leases;
  return {
      {"ledger",
       {{"received", ledger.received},
        {"buffered", ledger.buffered},
        {"leased", ledger.leased},
        {"delivered", ledger.delivered},
        {"drained", ledger.drained},
        {"flushed", ledger.flushed},
        {"dropped", by_reason(all_drop_reasons, ledger.dropped)}}},
      {"buffer",
       {{"frames", buffer.now.frames},
        {"bytes", buffer.now.bytes},
        {"max_frames", buffer.limits.max_frames},
        {"max_bytes", buffer.limits.max_bytes},
        {"frames_high_water", buffer.high_water.frames},
        {"bytes_high_water", buffer.high_water.bytes}}},
      {"channel",
       {{"length", channel.length},
        {"capacity", channel.capacity},
        {"high_water", channel.high_water}}},
      {"sessions",
       {{"open", sessions.open},
        {"accepted", sessions.accepted},
        {"closed", by_reason(all_close_reasons, sessions.closed)}}},
      {"malformed", by_reason(all_malformed, sessions.malformed)},
      {"truncated", sessions.truncated},
      {"implausible", sessions.implausible},
      {"idle_packets", sessions.idle_packets},
      {"control",
       {{"clients", control.clients},
        {"accepted", control.accepted},
        {"cut_off", by_reason(all_cut_offs, control.cut_off)}}},
      {"faults", by_reason(runtime::all_fault_kinds, stats.faults)},
      {"tails",
       {{"watchers", stats.aggregator.tails.watchers}, {"lost", stats.aggregator.tails.lost}}},
      {"leases",
       {{"open", leases.open},
        {"frames", buffer.leased.frames},
        {"bytes", buffer.leased.bytes},
        {"ended", by_reason(all_lease_ends, leases.ended)}}},
      {"state", to_json(stats.state)},
      {"uptime_s", static_cast<double>(stats.uptime.count()) / 1000.0},
  };
}

Json to_json(const UplinkRecord& record) {
  const std::uint64_t frames =
      record.frames();  // read before last_frame_at: see UplinkRecord::add_frames
  return {{"id", record.id()},
          {"listener", record.listener()},
          {"peer", record.peer()},
          {"state", record.held() ? "held" : "receiving"},
          {"connected_at", format_time(record.connected_at())},
          {"last_frame_at", or_null(record.last_frame_at(), format_time)},
          {"frames", frames},
          {"bytes", record.bytes()}};
}

Json to_json(const ClosedUplink& closed) {
  Json json = to_json(*closed.record);
  json["state"] = "closed";
  json["closed_at"] = format_time(closed.closed_at);
  json["reason"] = name_of(closed.reason);
  return json;
}

Json to_json(const ListenerInfo& listener) {
  return {{"name", listener.name}, {"framing", listener.framing}, {"address", listener.address}};
}

Json to_json(const StoredStats& stored) {
  const SequenceStats& sequences = stored.sequences;
  return {{"frames", stored.frames},
          {"last_sequence", or_null(sequences.last_sequence, [](auto value) { return value; })},
          {"gaps", sequences.gaps},
          {"missing", sequences.missing},
          {"duplicates", sequences.duplicates},
          {"late", sequences.late},
          {"jumps", sequences.jumps},
          {"resets", sequences.resets},
          {"last_seen_at", format_time(stored.last_seen_at)}};
}

Json to_json(const OriginStats& stats, const SilentSatellites& silent) {
  const auto as_is = [](auto value) { return value; };
  Json json = {{"satellite_id", nullptr}, {"channel_id", nullptr}};
  if (stats.origin) {
    json["satellite_id"] = stats.origin->satellite_id;
    json["channel_id"] = stats.origin->channel_id;
  }
  json["frames"] = stats.frames;
  json["bytes"] = stats.bytes;
  json["last_sequence"] = or_null(stats.last_sequence, as_is);
  json["gaps"] = stats.gaps;
  json["missing"] = stats.missing;
  json["duplicates"] = stats.duplicates;
  json["late"] = stats.late;
  json["dropped"] = stats.dropped;
  json["last_seen_at"] = format_time(stats.last_seen_at);
  json["silent"] = nullptr;  // not known for origins beyond `max_tracked`
  if (stats.origin) {
    json["silent"] = silent.contains(stats.origin->satellite_id);
  }
  json["jumps"] = stats.jumps;
  json["resets"] = stats.resets;
  json["stored"] = or_null(stats.stored, [](const StoredStats& stored) { return to_json(stored); });
  return json;
}

Json to_json(const SinkRecord& sink, const ConsumerStats& consumer, ReceiveTime now) {
  const SinkInfo& info = sink.info();
  const SinkFigures figures = sink.figures();
  Json problem = nullptr;
  if (figures.problem) {
    problem = {{"reason", figures.problem->reason}, {"message", figures.problem->message}};
  }
  return {
      {"name", info.name},
      {"type", info.type},
      {"stream", info.stream},
      {"subject", info.subject},
      {"when_behind", info.when_behind},
      {"server", or_null(figures.server, [](const std::string& text) { return text; })},
      {"problem", std::move(problem)},
      {"unsafe", figures.unsafe},
      {"lag",
       {{"frames", consumer.lag.frames},
        {"bytes", consumer.lag.bytes},
        {"seconds", lag_seconds(consumer, now)}}},
      {"in_flight", {{"messages", figures.in_flight_messages}, {"bytes", figures.in_flight_bytes}}},
      {"acknowledged",
       {{"frames", consumer.acknowledged.frames},
        {"bytes", consumer.acknowledged.bytes},
        {"messages", figures.acknowledged_messages},
        {"duplicates", figures.duplicates}}},
      {"retried", figures.retried},
      {"refused", figures.refused},
      {"skipped", by_reason(all_skips, consumer.skipped)}};
}

Json sinks_json(const SinkTable& sinks, const std::vector<ConsumerStats>& consumers,
                ReceiveTime now) {
  Json rows = Json::array();
  for (const SinkRecord& sink : sinks) {
    rows.push_back(to_json(sink, consumer_of(sink.info().name, consumers), now));
  }
  return {{"sinks", std::move(rows)}};
}

}  // namespace meridian::status
