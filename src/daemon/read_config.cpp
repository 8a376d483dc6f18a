#include "daemon/read_config.hpp"

#include "config/error.hpp"
#include "config/file.hpp"
#include "config/reader.hpp"
#include "config/strict_json.hpp"
#include "daemon/keys.hpp"
#include "frame/space_packet.hpp"
#include "runtime/default_socket.hpp"
#include "runtime/host_port.hpp"
#include "sink/keys.hpp"
#include "sink/type.hpp"
#include "status/version.hpp"
#include "uplink/keys.hpp"

#include <boost/asio/ip/address.hpp>
#include <fmt/format.h>

#include <cstdlib>
#include <string>
#include <utility>

namespace meridian::daemon {

namespace {

using config::Reader;

/// Reads the object under `name`, if there is one. Keys that are in no section are read from
/// `root`.
template <typename T>
void read_section(Reader& root, std::string_view name, config::Keys<T> keys, T& target) {
  if (name.empty()) {
    config::read_all(root, keys, target);
  } else if (const config::Json* const json = root.find(name)) {
    Reader section(*json, std::string(name));
    config::read_all(section, keys, target);
    section.finish();
  }
}

/// Throws config::Error if an uplink has the HTTP server's address, since both could not listen
/// there.
void check_http_address(const Config& config) {
  if (!config.http.listen || config.http.listen->port() == 0) {
    return;
  }
  const auto& http = *config.http.listen;
  for (const uplink::ListenerOptions& uplink : config.uplinks) {
    if (uplink.port == http.port() &&
        boost::asio::ip::make_address(uplink.host) == http.address()) {
      throw config::Error(fmt::format("http.listen: {} is taken by the uplink \"{}\"",
                                      runtime::to_text(http), uplink.name));
    }
  }
}

Config read_config(const config::Json& json) {
  Config config = default_config();
  Reader root(json, "");
  if (const config::Json* const listeners = root.find("uplinks")) {
    config.uplinks = uplink::read_listeners(root, *listeners);
  }
  visit_sections([&](const Section& section, auto keys, auto part) {
    read_section(root, section.name, keys, part(config));
  });
  if (const config::Json* const sinks = root.find("sinks")) {
    config.sinks = sink::read_sinks(root, *sinks);
    for (const sink::Options& each : config.sinks) {
      config.aggregator.consumers.push_back(
          {.name = each.name, .hold = each.when_behind == sink::WhenBehind::hold});
    }
  }
  root.finish();
  check_http_address(config);
  check_sinks(config);
  return config;
}

}  // namespace

void check_sinks(const Config& config) {
  if (config.aggregator.buffer.when_full != WhenFull::drop_oldest) {
    return;
  }
  for (std::size_t i = 0; i < config.sinks.size(); ++i) {
    if (config.sinks[i].when_behind == sink::WhenBehind::hold) {
      throw config::Error(
          fmt::format("sinks[{}].when_behind: \"hold\" needs buffer.when_full \"backpressure\" or "
                      "\"drop_newest\", since \"drop_oldest\" would drop frames that the sink has "
                      "yet to deliver",
                      i));
    }
  }
}

Config default_config() {
  Config config;
  config.uplinks = {{.name = "native", .host = "127.0.0.1", .port = 7400},
                    {.name = "space-packets",
                     .host = "127.0.0.1",
                     .port = 7401,
                     .framing = Framing::ccsds_space_packet,
                     .satellite_id = 1,
                     .max_payload_bytes = frame::space_packet::max_packet_bytes}};
  config.control.socket = runtime::default_socket();
  // What systemd sets for StateDirectory=; there may be several, separated by colons.
  if (const char* const directory = std::getenv("STATE_DIRECTORY");
      directory != nullptr && *directory == '/') {
    config.state_directory =
        std::string_view(directory).substr(0, std::string_view(directory).find(':'));
  }
  return config;
}

Config parse_config(std::string_view text) {
  return read_config(config::parse_strictly(text));
}

Config load_config(const std::filesystem::path& file) {
  const config::Json json = config::read_file(file);
  try {
    Config config = read_config(json);
    config.file = file;
    return config;
  } catch (const config::Error& error) {
    throw config::Error(fmt::format("{}: {}", file.string(), error.what()));
  }
}

void check_build(const Config& config) {
  if (config.http.listen && !status::with_http) {
    throw config::Error(
        "http.listen: must be null: this meridiand was built without HTTP "
        "(MERIDIAN_WITH_HTTP=OFF)");
  }
  for (const sink::Options& each : config.sinks) {
    if (!each.type->is_built) {
      throw config::Error(fmt::format("sinks: must be empty: this meridiand was built without {}",
                                      each.type->part));
    }
  }
}

Config find_config(const std::optional<std::filesystem::path>& given) {
  const auto file = config::find_file(given);
  return file ? load_config(*file) : default_config();
}

}  // namespace meridian::daemon
