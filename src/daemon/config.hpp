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

/// A configuration that cannot be used. The message names the key by its path and says what is
/// allowed.
class ConfigError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Throws ConfigError if a sink must hold frames that the buffer's policy would drop.
void check_sinks(const Config& config);

/// The configuration of the system's service.
inline constexpr const char* installed_config = "/etc/meridian/meridiand.json";

/// The values of all keys that a file leaves out.
[[nodiscard]] Config default_config();

/// Reads JSON with `//` comments. Throws ConfigError. Also accepts the keys of parts that this
/// build leaves out.
[[nodiscard]] Config parse_config(std::string_view text);

/// Reads a file. Throws ConfigError, whose message begins with the file's name.
[[nodiscard]] Config load_config(const std::filesystem::path& file);

/// Throws ConfigError if the configuration asks for a part that this build leaves out. The daemon
/// checks this; meridianctl, which may be from another build, does not.
void check_build(const Config& config);

/// The configuration of `file` if one is given, else of /etc/meridian/meridiand.json if that
/// exists, else the defaults. Throws ConfigError.
[[nodiscard]] Config find_config(const std::optional<std::filesystem::path>& file);

}  // namespace meridian::daemon
