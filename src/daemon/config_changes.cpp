#include "daemon/config_changes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace meridian::daemon {

namespace {

using uplink::ListenerOptions;

const ListenerOptions* find(const std::vector<ListenerOptions>& listeners, std::string_view name) {
  const auto found = std::ranges::find(listeners, name, &ListenerOptions::name);
  return found == listeners.end() ? nullptr : &*found;
}

/// `path` is that of `next`.
void compare_listener(const ListenerOptions& now, const ListenerOptions& next,
                      const std::string& path, std::vector<std::string>& out) {
  const auto note = [&](std::string_view key, bool same) {
    if (!same) {
      out.push_back(fmt::format("{}.{}", path, key));
    }
  };
  note("listen", now.host == next.host && now.port == next.port);
  note("framing", now.framing == next.framing);
  note("satellite_id", now.satellite_id == next.satellite_id);
  note("max_sessions", now.max_sessions == next.max_sessions);
  note("max_payload_bytes", now.max_payload_bytes == next.max_payload_bytes);
  note("idle_timeout_s", now.idle_timeout == next.idle_timeout);
  note("peer_timeout_s", now.peer_timeout == next.peer_timeout);
  note("when_channel_full", now.when_channel_full == next.when_channel_full);
}

void compare_listeners(const std::vector<ListenerOptions>& now,
                       const std::vector<ListenerOptions>& next, std::vector<std::string>& out) {
  for (std::size_t i = 0; i < now.size(); ++i) {
    if (find(next, now[i].name) == nullptr) {
      out.push_back(fmt::format("uplinks[{}] (\"{}\", removed)", i, now[i].name));
    }
  }
  for (std::size_t i = 0; i < next.size(); ++i) {
    const std::string path = fmt::format("uplinks[{}]", i);
    if (const ListenerOptions* const before = find(now, next[i].name)) {
      compare_listener(*before, next[i], path, out);
    } else {
      out.push_back(fmt::format("{} (\"{}\", added)", path, next[i].name));
    }
  }
}

}  // namespace

ConfigChanges changes_between(const Config& now, const Config& next) {
  ConfigChanges changes;
  const auto note = [](std::vector<std::string>& list, const char* key, const auto& a,
                       const auto& b) {
    if (a != b) {
      list.emplace_back(key);
    }
  };
  compare_listeners(now.uplinks, next.uplinks, changes.applied);
  const BufferLimits& buffer = now.aggregator.buffer;
  const BufferLimits& next_buffer = next.aggregator.buffer;
  note(changes.applied, "buffer.max_frames", buffer.max_frames, next_buffer.max_frames);
  note(changes.applied, "buffer.max_bytes", buffer.max_bytes, next_buffer.max_bytes);
  note(changes.applied, "buffer.when_full", buffer.when_full, next_buffer.when_full);
  const control::ServerOptions& control = now.control;
  const control::ServerOptions& next_control = next.control;
  note(changes.applied, "control.mode", control.access.mode, next_control.access.mode);
  note(changes.applied, "control.group", control.access.group, next_control.access.group);
  note(changes.applied, "control.read_only_group", control.access.read_only_group,
       next_control.access.read_only_group);
  note(changes.applied, "control.max_clients", control.max_clients, next_control.max_clients);
  note(changes.applied, "control.max_request_bytes", control.max_request_bytes,
       next_control.max_request_bytes);
  note(changes.applied, "control.idle_timeout_s", control.idle_timeout, next_control.idle_timeout);
  note(changes.applied, "satellites.max_tracked", now.aggregator.max_tracked,
       next.aggregator.max_tracked);
  note(changes.applied, "satellites.reset_after_frames", now.aggregator.reset_after,
       next.aggregator.reset_after);
  note(changes.applied, "satellites.silent_after_s", now.silent_after, next.silent_after);
  note(changes.applied, "satellites.forget_after_s", now.forget_after, next.forget_after);
  note(changes.applied, "log.level", now.log.level, next.log.level);
  note(changes.applied, "log.format", now.log.format, next.log.format);
  note(changes.applied, "log.target", now.log.target, next.log.target);

  note(changes.needs_restart, "channel.capacity", now.aggregator.channel_capacity,
       next.aggregator.channel_capacity);
  note(changes.needs_restart, "control.socket", control.socket, next_control.socket);
  note(changes.needs_restart, "http.listen", now.http.listen, next.http.listen);
  note(changes.needs_restart, "http.names", now.http.names, next.http.names);
  note(changes.needs_restart, "http.max_clients", now.http.max_clients, next.http.max_clients);
  note(changes.needs_restart, "http.timeout_s", now.http.timeout, next.http.timeout);
  note(changes.needs_restart, "http.max_event_streams", now.http.max_event_streams,
       next.http.max_event_streams);
  note(changes.needs_restart, "http.event_stream_s", now.http.event_stream, next.http.event_stream);
  note(changes.needs_restart, "http.max_satellites", now.http.max_satellites,
       next.http.max_satellites);
  note(changes.needs_restart, "state.directory", now.state_directory, next.state_directory);
  note(changes.needs_restart, "state.when_unreadable", now.when_state_unreadable,
       next.when_state_unreadable);
  note(changes.needs_restart, "sinks", now.sinks, next.sinks);
  note(changes.needs_restart, "threads", now.threads, next.threads);
  return changes;
}

Config applicable(const Config& now, Config next) {
  next.aggregator.channel_capacity = now.aggregator.channel_capacity;
  next.control.socket = now.control.socket;
  next.http = now.http;
  next.sinks = now.sinks;
  next.aggregator.consumers = now.aggregator.consumers;
  next.state_directory = now.state_directory;
  next.when_state_unreadable = now.when_state_unreadable;
  next.threads = now.threads;
  return next;
}

}  // namespace meridian::daemon
