/// The daemon's configuration.
#pragma once

#include "control/server.hpp"
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
#include <stdexcept>
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
  std::filesystem::path file;  ///< where it was read; empty: nowhere
  std::vector<uplink::ListenerOptions> uplinks;
  AggregatorOptions aggregator;
  control::ServerOptions control;
  std::chrono::seconds silent_after{30};  ///< 0: no satellite is silent
  std::chrono::seconds forget_after{0};   ///< 0: none is forgotten by itself
  http::ServerOptions http;
  std::vector<sink::Options> sinks;  ///< `aggregator.consumers` has one of the same name for each
  std::optional<std::filesystem::path> state_directory;  ///< nothing: nothing is saved
  state::WhenUnreadable when_state_unreadable = state::WhenUnreadable::refuse;
  std::size_t threads = 0;  ///< 0: as many as there are processors, at least 2
  LogOptions log;
};

/// A configuration that cannot be used. The message names the key by its path and says what is
/// allowed.
class ConfigError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Throws ConfigError where a sink is to hold frames that the buffer's policy drops.
void check_sinks(const Config& config);

/// Where that of the system's service is.
inline constexpr const char* installed_config = "/etc/meridian/meridiand.json";

/// What holds where no file says otherwise.
[[nodiscard]] Config default_config();

/// Reads JSON with `//` comments. Throws ConfigError. Accepts the keys of parts that this build
/// leaves out, too.
[[nodiscard]] Config parse_config(std::string_view text);

/// Reads a file. Throws ConfigError, with the file's name in front.
[[nodiscard]] Config load_config(const std::filesystem::path& file);

/// Refuses a configuration that asks for a part which this build leaves out: throws ConfigError.
/// The daemon checks it; meridianctl, which may be of another build, does not.
void check_build(const Config& config);

/// The configuration of `file` if one is given, else of /etc/meridian/meridiand.json if that is
/// there, else the defaults. Throws ConfigError.
[[nodiscard]] Config find_config(const std::optional<std::filesystem::path>& file);

}  // namespace meridian::daemon
