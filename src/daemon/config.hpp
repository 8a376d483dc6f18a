/// The daemon's configuration, as it is in memory.
#pragma once

#include "control/options.hpp"
#include "http/options.hpp"
#include "sink/options.hpp"
#include "state/state_directory.hpp"
#include "uplink/options.hpp"

#include <meridian/aggregator.hpp>

#include <spdlog/common.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace meridian::daemon {

enum class LogFormat : std::uint8_t { text, json };

struct LogOptions {
  spdlog::level::level_enum level = spdlog::level::info;
  LogFormat format = LogFormat::text;
  std::string target = "stderr";  ///< "stderr", "stdout" or the absolute path of a file
};

struct Config {
  std::filesystem::path file;  ///< the file that was read; empty: none
  std::vector<uplink::ListenerOptions> uplinks;
  AggregatorOptions aggregator;
  control::ServerOptions control;
  std::chrono::seconds silent_after{30};  ///< 0: no satellite counts as silent
  std::chrono::seconds forget_after{0};   ///< 0: satellites are forgotten only on request
  http::ServerOptions http;
  std::vector<sink::Options> sinks;  ///< each has a consumer of the same name in `aggregator`
  std::optional<std::filesystem::path> state_directory;  ///< none: no state is saved
  state::WhenUnreadable when_state_unreadable = state::WhenUnreadable::refuse;
  std::size_t threads = 0;  ///< 0: one for each processor, at least 2
  LogOptions log;
};

}  // namespace meridian::daemon
