#include "daemon/config.hpp"

#include "control/default_socket.hpp"
#include "daemon/config_reader.hpp"
#include "frame/space_packet.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/system/error_code.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <iterator>
#include <limits>
#include <set>
#include <utility>

namespace meridian::daemon {

namespace {

using Json = ConfigReader::Json;
using std::string_view_literals::operator""sv;

template <typename Enum>
using Names = std::pair<std::string_view, Enum>;

constexpr std::array framings{Names{"length_prefixed"sv, uplink::Framing::length_prefixed},
                              Names{"ccsds_space_packet"sv, uplink::Framing::ccsds_space_packet}};
constexpr std::array channel_policies{
    Names{"backpressure"sv, uplink::WhenChannelFull::backpressure},
    Names{"drop"sv, uplink::WhenChannelFull::drop}};
constexpr std::array buffer_policies{Names{"drop_oldest"sv, WhenFull::drop_oldest},
                                     Names{"drop_newest"sv, WhenFull::drop_newest},
                                     Names{"backpressure"sv, WhenFull::backpressure}};
constexpr std::array log_levels{
    Names{"trace"sv, spdlog::level::trace}, Names{"debug"sv, spdlog::level::debug},
    Names{"info"sv, spdlog::level::info},   Names{"warning"sv, spdlog::level::warn},
    Names{"error"sv, spdlog::level::err},   Names{"critical"sv, spdlog::level::critical},
    Names{"off"sv, spdlog::level::off}};
constexpr std::array log_formats{Names{"text"sv, LogFormat::text},
                                 Names{"json"sv, LogFormat::json}};

template <typename Enum, std::size_t n>
std::span<const Names<Enum>> all(const std::array<Names<Enum>, n>& names) {
  return names;
}

// Bounds that keep a slip of the finger from taking the machine down.
constexpr std::uint64_t most_listeners = 64;
constexpr std::uint64_t most_sessions = 1'000'000;
constexpr std::uint64_t most_payload_bytes = 16 * 1024 * 1024;
constexpr std::uint64_t most_seconds = 365 * 24 * 3600;
constexpr std::uint64_t most_frames = 1'000'000'000'000;
constexpr std::uint64_t most_buffer_bytes = std::uint64_t{1} << 50;

/// "127.0.0.1:7400" or "[::1]:7400", a numeric address and a port.
void read_listen(ConfigReader& reader, uplink::ListenerOptions& options) {
  const Json* const value = reader.find("listen");
  if (value == nullptr) {
    return;
  }
  const auto refuse = [&] {
    reader.fail("listen",
                "must be an address and a port, such as \"127.0.0.1:7400\" or \"[::1]:7400\"",
                *value);
  };
  if (!value->is_string()) {
    refuse();
  }
  const auto& text = value->get_ref<const std::string&>();
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) {
    refuse();
  }
  std::string host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) {
    host = host.substr(1, host.size() - 2);
  }
  boost::system::error_code bad_address;
  const auto address = boost::asio::ip::make_address(host, bad_address);
  const char* const end = text.data() + text.size();
  const auto port = std::from_chars(text.data() + colon + 1, end, options.port);
  const bool bad_port = port.ec != std::errc{} || port.ptr != end;
  if (bad_address || bad_port || address.is_v6() != bracketed) {
    refuse();
  }
  options.host = host;
}

uplink::ListenerOptions read_listener(const Json& json, std::size_t index) {
  uplink::ListenerOptions options{
      .name = fmt::format("uplink-{}", index + 1), .host = "127.0.0.1", .port = 7400};
  ConfigReader reader(json, fmt::format("uplinks[{}]", index));
  reader.read("name", options.name);
  if (options.name.empty()) {
    reader.fail("name", "must not be empty", "");
  }
  read_listen(reader, options);
  reader.read("framing", options.framing, all(framings));
  reader.read("max_sessions", options.max_sessions, 1, most_sessions);

  const Json* const satellite_id = reader.find("satellite_id");
  if (options.framing == uplink::Framing::ccsds_space_packet) {
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

/// "0660": octal, with its leading zero, as chmod takes it.
void read_mode(ConfigReader& reader, std::uint32_t& mode) {
  std::string text;
  reader.read("mode", text);
  if (text.empty()) {
    if (const Json* value = reader.find("mode")) {
      reader.fail("mode", "must be an octal file mode such as \"0660\"", *value);
    }
    return;
  }
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, mode, 8);
  if (text.size() != 4 || text.front() != '0' || parsed.ec != std::errc{} || parsed.ptr != end) {
    reader.fail("mode", "must be an octal file mode such as \"0660\"", text);
  }
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
  read_section(root, "control", [&](ConfigReader& control) {
    control.read("socket", config.control.socket);
    if (config.control.socket.empty()) {
      control.fail("socket", "must be the path of a Unix socket", "");
    }
    read_mode(control, config.control.mode);
    control.read("max_clients", config.control.max_clients, 1, 10'000);
    control.read("max_request_bytes", config.control.max_request_bytes, 64, most_payload_bytes);
  });
  read_section(root, "satellites", [&](ConfigReader& satellites) {
    satellites.read("max_tracked", config.aggregator.max_tracked, 1, 16'777'216);
  });
  root.read("threads", config.threads, 0, 1024);
  read_section(root, "log", [&](ConfigReader& log) {
    log.read("level", config.log.level, all(log_levels));
    log.read("format", config.log.format, all(log_formats));
    log.read("target", config.log.target);
    if (config.log.target != "stderr" && config.log.target != "stdout" &&
        !config.log.target.starts_with('/')) {
      log.fail("target", R"(must be "stderr", "stdout" or the absolute path of a file)",
               config.log.target);
    }
  });
  root.finish();
  return config;
}

/// Refuses a key that stands twice in one object: the parser alone would keep the last one.
class DuplicateKeys {
 public:
  bool operator()(int /*depth*/, Json::parse_event_t event, Json& parsed) {
    switch (event) {
      case Json::parse_event_t::object_start:
      case Json::parse_event_t::array_start:
        count_element();
        open_.emplace_back().is_list = event == Json::parse_event_t::array_start;
        break;
      case Json::parse_event_t::object_end:
      case Json::parse_event_t::array_end:
        open_.pop_back();
        break;
      case Json::parse_event_t::value:
        count_element();
        break;
      case Json::parse_event_t::key:
        open_.back().key = parsed.get<std::string>();
        if (!open_.back().keys.insert(open_.back().key).second) {
          throw ConfigError(fmt::format("{}: stands twice in one object; keep one", path()));
        }
        break;
    }
    return true;
  }

 private:
  /// An object or a list that has begun and not ended.
  struct Open {
    bool is_list = false;
    std::size_t elements = 0;  // of a list
    std::string key;           // of an object, the last one
    std::set<std::string> keys;
  };

  void count_element() {
    if (!open_.empty() && open_.back().is_list) {
      ++open_.back().elements;
    }
  }

  [[nodiscard]] std::string path() const {
    std::string path;
    for (const Open& open : open_) {
      if (open.is_list) {
        path += fmt::format("[{}]", open.elements - 1);
      } else {
        path += (path.empty() ? "" : ".") + open.key;
      }
    }
    return path;
  }

  std::vector<Open> open_;
};

}  // namespace

Config default_config() {
  Config config;
  config.uplinks = {{.name = "native", .host = "127.0.0.1", .port = 7400},
                    {.name = "space-packets",
                     .host = "127.0.0.1",
                     .port = 7401,
                     .framing = uplink::Framing::ccsds_space_packet,
                     .satellite_id = 1,
                     .max_payload_bytes = space_packet::max_packet_bytes}};
  config.control.socket = control::default_socket();
  return config;
}

Config parse_config(std::string_view text) {
  try {
    return read_config(Json::parse(text, DuplicateKeys{}, /*allow_exceptions=*/true,
                                   /*ignore_comments=*/true));
  } catch (const Json::parse_error& error) {
    const std::string_view what = error.what();
    throw ConfigError(fmt::format("not valid JSON: {}", what.substr(what.find(']') + 2)));
  }
}

Config load_config(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  // A directory can be opened; to read it throws.
  if (!in || std::filesystem::is_directory(file)) {
    throw ConfigError(fmt::format("{}: cannot be read; check that it is a file and its permissions",
                                  file.string()));
  }
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  try {
    return parse_config(text);
  } catch (const ConfigError& error) {
    throw ConfigError(fmt::format("{}: {}", file.string(), error.what()));
  }
}

Config find_config(const std::optional<std::filesystem::path>& file) {
  const std::filesystem::path installed = "/etc/meridian/meridiand.json";
  std::error_code ignored;
  if (file) {
    return load_config(*file);
  }
  return std::filesystem::exists(installed, ignored) ? load_config(installed) : default_config();
}

std::string_view log_level_names() noexcept {
  return "trace, debug, info, warning, error, critical, off";
}

std::optional<spdlog::level::level_enum> log_level_from(std::string_view name) {
  const auto* const found =
      std::ranges::find(log_levels, name, &Names<spdlog::level::level_enum>::first);
  return found == log_levels.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace meridian::daemon
