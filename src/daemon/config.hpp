/// The daemon's configuration.
#pragma once

#include "config/error.hpp"
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
#include <string_view>
#include <vector>

namespace meridian::daemon {

enum class LogFormat : std::uint8_t { text, json };

struct LogOptions {
  spdlog::level::level_enum level = spdlog::level::info;
  LogFormat format = LogFormat::text;
  std::string target = "stderr";  ///< "stderr", "stdout" or the absolute path of a file
};

struct Config {
  std::filesystem::path file;  ///< the one that was read; empty: none
  std::vector<uplink::ListenerOptions> uplinks;
  AggregatorOptions aggregator;
  control::ServerOptions control;
  std::chrono::seconds silent_after{30};  ///< 0: no satellite counts as silent
  std::chrono::seconds forget_after{0};   ///< 0: satellites are only forgotten on request
  http::ServerOptions http;
  std::vector<sink::Options> sinks;  ///< each has a consumer of the same name in `aggregator`
  std::optional<std::filesystem::path> state_directory;  ///< none: no state is saved
  state::WhenUnreadable when_state_unreadable = state::WhenUnreadable::refuse;
  std::size_t threads = 0;  ///< 0: one for each processor, at least 2
  LogOptions log;
};

/// Throws config::Error if a sink must hold frames that the buffer's policy would drop.
void check_sinks(const Config& config);

/// The values of all keys that a file leaves out.
[[nodiscard]] Config default_config();

/// Reads JSON with `//` comments. Throws config::Error. Also accepts the keys of parts that this
/// build leaves out.
[[nodiscard]] Config parse_config(std::string_view text);

/// Reads a file. Throws config::Error, whose message begins with the file's name.
[[nodiscard]] Config load_config(const std::filesystem::path& file);

/// Throws config::Error if the configuration asks for a part that this build leaves out.
void check_build(const Config& config);

/// The configuration in the file that config::find_file finds, or the defaults. Throws
/// config::Error.
[[nodiscard]] Config find_config(const std::optional<std::filesystem::path>& given);

}  // namespace meridian::daemon
