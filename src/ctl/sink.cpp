#include "ctl/sink.hpp"

#include "runtime/printable.hpp"
#include "status/figures.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace meridian::ctl {

namespace {

using Json = nlohmann::ordered_json;

std::string names_of(const std::vector<sink::Options>& sinks) {
  std::vector<std::string_view> names;
  names.reserve(sinks.size());
  for (const sink::Options& each : sinks) {
    names.emplace_back(each.name);
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

double seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

/// "subjects a, b; 3 replicas; …"
std::string text_of(const sink::jetstream::StreamSettings& settings) {
  std::string text =
      fmt::format("subjects {}; {} replica(s); duplicate window {} s",
                  runtime::printable(fmt::format("{}", fmt::join(settings.subjects, ", "))),
                  settings.replicas, seconds(settings.duplicate_window));
  if (settings.max_bytes) {
    text += fmt::format("; at most {} bytes", status::with_separators(*settings.max_bytes));
  }
  if (settings.max_age) {
    text += fmt::format("; messages are dropped after {} s", seconds(*settings.max_age));
  }
  return text;
}

}  // namespace

const sink::Options& choose_sink(const std::vector<sink::Options>& sinks,
                                 const std::optional<std::string>& name) {
  if (sinks.empty()) {
    throw std::runtime_error("the configuration has no sinks");
  }
  if (!name) {
    if (sinks.size() > 1) {
      throw std::runtime_error(
          fmt::format("give the name of a sink; the configuration has {}", names_of(sinks)));
    }
    return sinks.front();
  }
  const auto found = std::ranges::find(sinks, *name, &sink::Options::name);
  if (found == sinks.end()) {
    throw std::runtime_error(
        fmt::format("there is no sink \"{}\"; the configuration has {}", *name, names_of(sinks)));
  }
  return *found;
}

bool as_asked(const sink::jetstream::CreatedStream& created) {
  return created.differences.empty();
}

std::string report_created(const sink::jetstream::CreatedStream& created) {
  const sink::jetstream::StreamReport& report = created.report;
  const std::string name = runtime::printable(report.name);
  std::string text;
  if (!created.existed) {
    text = fmt::format("created the stream {}: {}\n", name, text_of(report.settings));
  } else if (as_asked(created)) {
    text = fmt::format("the stream {} exists already, as asked for: {}\n", name,
                       text_of(report.settings));
  } else {
    text = fmt::format(
        "the stream {} exists already and was not changed; it differs from what was asked for:\n",
        name);
    for (const std::string& difference : created.differences) {
      text += fmt::format("  {}\n", runtime::printable(difference));
    }
  }
  for (const std::string& sentence : report.unsafe) {
    text += fmt::format("unsafe: {}\n", runtime::printable(sentence));
  }
  return text;
}

Json to_json(const sink::jetstream::CreatedStream& created) {
  const sink::jetstream::StreamSettings& settings = created.report.settings;
  Json max_bytes = nullptr;
  if (settings.max_bytes) {
    max_bytes = *settings.max_bytes;
  }
  Json max_age_s = nullptr;
  if (settings.max_age) {
    max_age_s = seconds(*settings.max_age);
  }
  return {{"stream", created.report.name},
          {"created", !created.existed},
          {"subjects", settings.subjects},
          {"replicas", settings.replicas},
          {"duplicate_window_s", seconds(settings.duplicate_window)},
          {"max_bytes", std::move(max_bytes)},
          {"max_age_s", std::move(max_age_s)},
          {"differences", created.differences},
          {"unsafe", created.report.unsafe}};
}

}  // namespace meridian::ctl
