#include "daemon/config_changes.hpp"

#include "config/key.hpp"
#include "daemon/keys.hpp"
#include "uplink/keys.hpp"

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
      for (const config::KeyFacts* const key :
           config::changed_keys(uplink::listener_keys(), *before, next[i])) {
        out.push_back(fmt::format("{}.{}", path, key->name));
      }
    } else {
      out.push_back(fmt::format("{} (\"{}\", added)", path, next[i].name));
    }
  }
}

}  // namespace

ConfigChanges changes_between(const Config& now, const Config& next) {
  ConfigChanges changes;
  compare_listeners(now.uplinks, next.uplinks, changes.applied);
  visit_sections([&](const Section& section, auto keys, auto part) {
    for (const config::KeyFacts* const key : config::changed_keys(keys, part(now), part(next))) {
      std::vector<std::string>& list =
          key->applies == config::Applies::on_reload ? changes.applied : changes.needs_restart;
      list.push_back(section.name.empty() ? std::string(key->name)
                                          : fmt::format("{}.{}", section.name, key->name));
    }
  });
  if (now.sinks != next.sinks) {
    changes.needs_restart.emplace_back("sinks");
  }
  return changes;
}

Config applicable(const Config& now, Config next) {
  visit_sections([&](const Section& /*section*/, auto keys, auto part) {
    config::keep_until_restart(keys, part(now), part(next));
  });
  next.sinks = now.sinks;
  next.aggregator.consumers = now.aggregator.consumers;
  return next;
}

}  // namespace meridian::daemon
