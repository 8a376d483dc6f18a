#include "daemon/config.hpp"

#include "control/default_socket.hpp"
#include "control/socket_file.hpp"
#include "daemon/config_reader.hpp"
#include "daemon/sink_config.hpp"
#include "daemon/strict_json.hpp"
#include "frame/space_packet.hpp"
#include "runtime/c_handle.hpp"
#include "runtime/host_port.hpp"
#include "runtime/log_level.hpp"
#include "status/version.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/system/error_code.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <set>
#include <utility>

#include <grp.h>

namespace meridian::daemon {

namespace {

using Json = ConfigReader::Json;
using std::string_view_literals::operator""sv;

template <typename Enum>
using Names = std::pair<std::string_view, Enum>;

constexpr std::array channel_policies{
    Names{"backpressure"sv, uplink::WhenChannelFull::backpressure},
    Names{"drop"sv, uplink::WhenChannelFull::drop}};
constexpr std::array buffer_policies{Names{"drop_oldest"sv, WhenFull::drop_oldest},
                                     Names{"drop_newest"sv, WhenFull::drop_newest},
                                     Names{"backpressure"sv, WhenFull::backpressure}};
constexpr std::array unreadable_policies{Names{"refuse"sv, state::WhenUnreadable::refuse},
                                         Names{"set_aside"sv, state::WhenUnreadable::set_aside}};
constexpr std::array log_formats{Names{"text"sv, LogFormat::text},
                                 Names{"json"sv, LogFormat::json}};

template <typename Enum, std::size_t n>
std::span<const Names<Enum>> all(const std::array<Names<Enum>, n>& names) {
  return names;
}

// Bounds that keep a typo from taking the machine down.
constexpr std::uint64_t most_listeners = 64;
constexpr std::uint64_t most_sessions = 1'000'000;
constexpr std::uint64_t most_payload_bytes = 16 * 1024 * 1024;
constexpr std::uint64_t most_seconds = 365 * 24 * 3600;
constexpr std::uint64_t most_peer_timeout_s = 32'767;  // the bound of TCP_KEEPIDLE
constexpr std::uint64_t most_frames = 1'000'000'000'000;
constexpr std::uint64_t most_reset_after = 1000;
constexpr std::uint64_t most_buffer_bytes = std::uint64_t{1} << 50;

/// "127.0.0.1:7400" or "[::1]:7400", a numeric address and a port.
runtime::HostPort read_listen(const ConfigReader& reader, const Json& value,
                              std::string_view or_else = "") {
  std::optional<runtime::HostPort> target;
  if (value.is_string()) {
    target = runtime::read_host_port(value.get_ref<const std::string&>());
  }
  boost::system::error_code bad_address;
  if (target) {
    const auto address = boost::asio::ip::make_address(target->host, bad_address);
    bad_address = bad_address || address.is_v6() != target->bracketed
                      ? boost::asio::error::invalid_argument
                      : boost::system::error_code{};
  }
  if (!target || bad_address) {
    reader.fail("listen",
                fmt::format("must be an address and a port, such as \"127.0.0.1:7400\" or "
                            "\"[::1]:7400\"{}",
                            or_else),
                value);
  }
  return *target;
}

uplink::ListenerOptions read_listener(const Json& json, std::size_t index) {
  uplink::ListenerOptions options{
      .name = fmt::format("uplink-{}", index + 1), .host = "127.0.0.1", .port = 7400};
  ConfigReader reader(json, fmt::format("uplinks[{}]", index));
  reader.read("name", options.name);
  if (options.name.empty()) {
    reader.fail("name", "must not be empty", "");
  }
  if (const Json* const listen = reader.find("listen")) {
    const runtime::HostPort address = read_listen(reader, *listen);
    options.host = address.host;
    options.port = address.port;
  }
  reader.read("framing", options.framing, all(framing_names));
  reader.read("max_sessions", options.max_sessions, 1, most_sessions);

  const Json* const satellite_id = reader.find("satellite_id");
  if (options.framing == Framing::ccsds_space_packet) {
    options.max_payload_bytes = space_packet::max_packet_bytes;
    reader.read("max_payload_bytes", options.max_payload_bytes, space_packet::header_bytes + 1,
                space_packet::max_packet_bytes);
    reader.read("satellite_id", options.satellite_id, 0, std::numeric_limits<SatelliteId>::max());
  } else {
    reader.read("max_payload_bytes", options.max_payload_bytes, 1, most_payload_bytes);
    if (satellite_id != nullptr) {
      reader.fail("satellite_id",
                  "is for the framing \"ccsds_space_packet\": native frames carry their own",
                  *satellite_id);
    }
  }
  auto idle_timeout_s = static_cast<std::uint64_t>(options.idle_timeout.count());
  reader.read("idle_timeout_s", idle_timeout_s, 0, most_seconds);
  options.idle_timeout = std::chrono::seconds(idle_timeout_s);
  auto peer_timeout_s = static_cast<std::uint64_t>(options.peer_timeout.count());
  reader.read("peer_timeout_s", peer_timeout_s, 0, most_peer_timeout_s);
  options.peer_timeout = std::chrono::seconds(peer_timeout_s);
  reader.read("when_channel_full", options.when_channel_full, all(channel_policies));
  reader.finish();
  return options;
}

std::vector<uplink::ListenerOptions> read_listeners(ConfigReader& root, const Json& json) {
  if (!json.is_array() || json.empty() || json.size() > most_listeners) {
    root.fail("uplinks", fmt::format("must be a list of 1 to {} listeners", most_listeners), json);
  }
  std::vector<uplink::ListenerOptions> listeners;
  std::set<std::string> names;
  std::set<std::pair<std::string, std::uint16_t>> addresses;
  for (std::size_t i = 0; i < json.size(); ++i) {
    uplink::ListenerOptions listener = read_listener(json[i], i);
    if (!names.insert(listener.name).second) {
      throw ConfigError(
          fmt::format("uplinks[{}].name: \"{}\" is taken by another listener; names "
                      "must differ",
                      i, listener.name));
    }
    if (listener.port != 0 && !addresses.emplace(listener.host, listener.port).second) {
      throw ConfigError(
          fmt::format("uplinks[{}].listen: {}:{} is taken by another listener; "
                      "addresses must differ",
                      i, listener.host, listener.port));
    }
    listeners.push_back(std::move(listener));
  }
  return listeners;
}

void read_seconds(ConfigReader& reader, std::string_view key, std::chrono::seconds& target,
                  std::uint64_t least) {
  auto seconds = static_cast<std::uint64_t>(target.count());
  reader.read(key, seconds, least, most_seconds);
  target = std::chrono::seconds(seconds);
}

/// "0660": octal, with its leading zero, as chmod takes it.
void read_mode(ConfigReader& reader, std::uint32_t& mode) {
  const Json* const value = reader.find("mode");
  if (value == nullptr) {
    return;
  }
  const std::string text = value->is_string() ? value->get<std::string>() : "";
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, mode, 8);
  if (text.size() != 4 || text.front() != '0' || parsed.ec != std::errc{} || parsed.ptr != end) {
    reader.fail("mode", "must be an octal file mode such as \"0660\"", *value);
  }
}

/// The name of a group that the system knows.
void read_group(ConfigReader& reader, std::string_view key, std::optional<gid_t>& group) {
  std::optional<std::string> name;
  reader.read_or_null(key, name);
  if (!name) {
    return;
  }
  ::group entry{};
  ::group* found = nullptr;
  std::vector<char> room(65'536);
  ::getgrnam_r(name->c_str(), &entry, room.data(), room.size(), &found);
  if (found == nullptr) {
    reader.fail(key, "must be the name of a group of this system, or null", *name);
  }
  group = found->gr_gid;
}

/// Calls `read` with a reader for the object under `key`, if it is there.
template <typename Read>
void read_section(ConfigReader& root, std::string_view key, Read&& read) {
  if (const Json* json = root.find(key)) {
    ConfigReader section(*json, std::string(key));
    read(section);
    section.finish();
  }
}

/// The names that clients may use for the HTTP server.
void read_names(ConfigReader& reader, std::vector<std::string>& names) {
  const Json* const list = reader.find("names");
  if (list == nullptr) {
    return;
  }
  const auto is_host = [](const Json& name) {
    return name.is_string() && runtime::is_host(name.get_ref<const std::string&>());
  };
  constexpr std::size_t most_names = 64;
  if (!list->is_array() || list->size() > most_names || !std::ranges::all_of(*list, is_host)) {
    reader.fail("names",
                fmt::format("must be a list of 0 to {} names or addresses without a port, such as "
                            "\"meridian.example\"",
                            most_names),
                *list);
  }
  names = list->get<std::vector<std::string>>();
}

void read_http(ConfigReader& reader, http::ServerOptions& options) {
  const Json* const listen = reader.find("listen");
  if (listen != nullptr && !listen->is_null()) {
    const runtime::HostPort address = read_listen(reader, *listen, "; or null: no HTTP");
    options.listen.emplace(boost::asio::ip::make_address(address.host), address.port);
  }
  read_names(reader, options.names);
  reader.read("max_clients", options.max_clients, 1, 10'000);
  auto timeout_s = static_cast<std::uint64_t>(options.timeout.count());
  reader.read("timeout_s", timeout_s, 1, 3600);
  options.timeout = std::chrono::seconds(timeout_s);
  reader.read("max_event_streams", options.max_event_streams, 0, 10'000);
  read_seconds(reader, "event_stream_s", options.event_stream, 1);
  reader.read("max_satellites", options.max_satellites, 0, 65'536);
}

void read_control(ConfigReader& reader, control::ServerOptions& options) {
  reader.read("socket", options.socket);
  constexpr std::size_t longest = control::SocketFile::longest_path;
  if (options.socket.empty() || options.socket.size() > longest) {
    reader.fail("socket",
                fmt::format("must be the path of a Unix socket, of 1 to {} octets", longest),
                options.socket);
  }
  read_mode(reader, options.access.mode);
  read_group(reader, "group", options.access.group);
  read_group(reader, "read_only_group", options.access.read_only_group);
  reader.read("max_clients", options.max_clients, 1, 10'000);
  reader.read("max_request_bytes", options.max_request_bytes, 64, most_payload_bytes);
  read_seconds(reader, "idle_timeout_s", options.idle_timeout, 0);
}

/// Throws ConfigError if an uplink has the HTTP server's address, since they could not both listen.
void check_http_address(const Config& config) {
  if (!config.http.listen || config.http.listen->port() == 0) {
    return;
  }
  const auto& http = *config.http.listen;
  for (const uplink::ListenerOptions& uplink : config.uplinks) {
    if (uplink.port == http.port() &&
        boost::asio::ip::make_address(uplink.host) == http.address()) {
      throw ConfigError(fmt::format("http.listen: {} is taken by the uplink \"{}\"",
                                    runtime::to_text(http), uplink.name));
    }
  }
}

Config read_config(const Json& json) {
  Config config = default_config();
  ConfigReader root(json, "");
  if (const Json* listeners = root.find("uplinks")) {
    config.uplinks = read_listeners(root, *listeners);
  }
  read_section(root, "channel", [&](ConfigReader& channel) {
    channel.read("capacity", config.aggregator.channel_capacity, 1, 65'536);
  });
  read_section(root, "buffer", [&](ConfigReader& buffer) {
    BufferLimits& limits = config.aggregator.buffer;
    buffer.read("max_frames", limits.max_frames, 1, most_frames);
    buffer.read("max_bytes", limits.max_bytes, 1, most_buffer_bytes);
    buffer.read("when_full", limits.when_full, all(buffer_policies));
  });
  read_section(root, "control",
               [&](ConfigReader& control) { read_control(control, config.control); });
  read_section(root, "http", [&](ConfigReader& http) { read_http(http, config.http); });
  read_section(root, "state", [&](ConfigReader& state) {
    std::optional<std::string> directory;
    state.read_or_null("directory", directory);
    if (directory && !directory->starts_with('/')) {
      state.fail("directory", "must be the absolute path of a directory, or null", *directory);
    }
    if (directory) {
      config.state_directory = *directory;
    }
    state.read("when_unreadable", config.when_state_unreadable, all(unreadable_policies));
  });
  read_section(root, "satellites", [&](ConfigReader& satellites) {
    satellites.read("max_tracked", config.aggregator.max_tracked, 1, 16'777'216);
    satellites.read("reset_after_frames", config.aggregator.reset_after, 2, most_reset_after);
    read_seconds(satellites, "silent_after_s", config.silent_after, 0);
    read_seconds(satellites, "forget_after_s", config.forget_after, 0);
  });
  root.read("threads", config.threads, 0, 1024);
  read_section(root, "log", [&](ConfigReader& log) {
    log.read("level", config.log.level, all(runtime::log_levels));
    log.read("format", config.log.format, all(log_formats));
    log.read("target", config.log.target);
    if (config.log.target != "stderr" && config.log.target != "stdout" &&
        !config.log.target.starts_with('/')) {
      log.fail("target", R"(must be "stderr", "stdout" or the absolute path of a file)",
               config.log.target);
    }
  });
  if (const Json* sinks = root.find("sinks")) {
    config.sinks = read_sinks(root, *sinks);
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

/// No configuration is larger than this, and a larger file may be endless.
constexpr std::size_t most_octets = 16 * 1024 * 1024;

std::string read_text(const std::filesystem::path& file) {
  const auto failure = [&file](const std::string& why) {
    return ConfigError(fmt::format(
        "{}: cannot be read: {}; check that it is a file and its permissions", file.string(), why));
  };
  errno = 0;
  const runtime::CHandle<std::FILE, &std::fclose> in(std::fopen(file.c_str(), "rbe"));
  if (!in) {
    throw failure(std::strerror(errno));
  }
  std::string text;
  std::array<char, 65'536> piece{};
  while (const std::size_t octets = std::fread(piece.data(), 1, piece.size(), in.get())) {
    text.append(piece.data(), octets);
    if (text.size() > most_octets) {
      throw failure(fmt::format("it has more than {} octets", most_octets));
    }
  }
  if (std::ferror(in.get()) != 0) {
    throw failure(std::strerror(errno));
  }
  return text;
}

}  // namespace

void check_sinks(const Config& config) {
  if (config.aggregator.buffer.when_full != WhenFull::drop_oldest) {
    return;
  }
  for (std::size_t i = 0; i < config.sinks.size(); ++i) {
    if (config.sinks[i].when_behind == sink::WhenBehind::hold) {
      throw ConfigError(
          fmt::format("sinks[{}].when_behind: \"hold\" needs buffer.when_full \"backpressure\" or "
                      "\"drop_newest\": with \"drop_oldest\" frames are dropped that it must have",
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
                     .max_payload_bytes = space_packet::max_packet_bytes}};
  config.control.socket = control::default_socket();
  // What systemd sets for StateDirectory=; there may be several, separated by colons.
  if (const char* const directory = std::getenv("STATE_DIRECTORY");
      directory != nullptr && *directory == '/') {
    config.state_directory =
        std::string_view(directory).substr(0, std::string_view(directory).find(':'));
  }
  return config;
}

Config parse_config(std::string_view text) {
  return read_config(parse_strictly(text));
}

Config load_config(const std::filesystem::path& file) {
  const std::string text = read_text(file);
  try {
    Config config = parse_config(text);
    config.file = file;
    return config;
  } catch (const ConfigError& error) {
    throw ConfigError(fmt::format("{}: {}", file.string(), error.what()));
  }
}

void check_build(const Config& config) {
  if (config.http.listen && !status::with_http) {
    throw ConfigError(
        "http.listen: must be null: this meridiand was built without HTTP "
        "(MERIDIAN_WITH_HTTP=OFF)");
  }
  if (!config.sinks.empty() && !status::with_nats) {
    throw ConfigError(
        "sinks: must be empty: this meridiand was built without NATS (MERIDIAN_WITH_NATS=OFF)");
  }
}

Config find_config(const std::optional<std::filesystem::path>& file) {
  const std::filesystem::path installed = installed_config;
  std::error_code ignored;
  if (file) {
    return load_config(*file);
  }
  return std::filesystem::exists(installed, ignored) ? load_config(installed) : default_config();
}

}  // namespace meridian::daemon
