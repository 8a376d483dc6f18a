#include "daemon/sink_config.hpp"

#include "daemon/config.hpp"
#include "runtime/printable.hpp"
#include "runtime/user_info.hpp"
#include "sink/server_url.hpp"
#include "sink/subject.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace meridian::daemon {

namespace {

using Json = ConfigReader::Json;
using std::string_view_literals::operator""sv;

constexpr std::array behind_policies{std::pair{"hold"sv, sink::WhenBehind::hold},
                                     std::pair{"skip_oldest"sv, sink::WhenBehind::skip_oldest}};

// Well within what the library and the server can count.
constexpr std::size_t most_sinks = 16;
constexpr std::size_t most_servers = 64;
constexpr std::uint64_t least_batch_bytes = 1'024;
constexpr std::uint64_t most_batch_bytes = 64 * 1024 * 1024;
constexpr std::uint64_t most_in_flight_bytes = std::uint64_t{1} << 30;
constexpr std::size_t longest_name = 64;

/// Whether `text` may be part of message ids and metrics.
bool is_name(std::string_view text) {
  constexpr std::string_view letters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
  return !text.empty() && text.size() <= longest_name &&
         text.find_first_not_of(letters) == std::string_view::npos;
}

/// The servers without what precedes an @, which may be a password.
Json as_shown(Json servers) {
  if (servers.is_structured()) {
    std::ranges::transform(servers, servers.begin(), as_shown);
  } else if (servers.is_string()) {
    return runtime::hide_password(servers.get_ref<const std::string&>());
  }
  return servers;
}

/// Whether what precedes the @ has an invalid %: it must introduce the number of a character.
bool has_bad_percent(std::string_view url) {
  const std::size_t at = url.rfind('@');
  const std::size_t scheme = url.find("://");
  if (at == std::string_view::npos || scheme == std::string_view::npos || scheme > at) {
    return false;
  }
  const std::size_t begin = scheme + 3;
  return !runtime::read_user_info(url.substr(begin, at - begin));
}

void read_servers(ConfigReader& reader, std::vector<std::string>& servers) {
  const auto refuse = [&reader](const Json& value) {
    reader.fail("servers",
                fmt::format("must be a list of 1 to {} servers, such as "
                            "\"nats://127.0.0.1:4222\" or \"tls://nats.example:4222\"",
                            most_servers),
                value);
  };
  const Json* const list = reader.find("servers");
  if (list == nullptr || !list->is_array() || list->empty() || list->size() > most_servers) {
    refuse(list == nullptr ? Json(nullptr) : as_shown(*list));
  }
  for (const Json& server : *list) {
    if (server.is_string() && has_bad_percent(server.get_ref<const std::string&>())) {
      reader.fail("servers",
                  "in user and password of a server, a % must be written as %25 (% and two "
                  "hexadecimal digits stand for another character)",
                  as_shown(server));
    }
    if (!server.is_string() || !sink::read_server_url(server.get_ref<const std::string&>())) {
      refuse(as_shown(server));
    }
    servers.push_back(server.get<std::string>());
  }
}

/// Reads the absolute path of a file.
void read_file_name(ConfigReader& reader, std::string_view key, std::string& path) {
  std::optional<std::string> given;
  reader.read_or_null(key, given);
  if (given && !given->starts_with('/')) {
    reader.fail(key, "must be the absolute path of a file, or null", *given);
  }
  path = given.value_or("");
}

void read_tls(ConfigReader& sink, std::string_view path, sink::Tls& tls) {
  const Json* const json = sink.find("tls");
  if (json == nullptr || json->is_null()) {
    return;
  }
  ConfigReader reader(*json, fmt::format("{}.tls", path));
  tls.enabled = true;
  reader.read("enabled", tls.enabled);
  read_file_name(reader, "ca_file", tls.ca_file);
  read_file_name(reader, "certificate_file", tls.certificate_file);
  read_file_name(reader, "key_file", tls.key_file);
  if (tls.certificate_file.empty() != tls.key_file.empty()) {
    reader.fail("key_file", "and certificate_file must both be there, or neither", tls.key_file);
  }
  reader.finish();
}

sink::Options read_sink(const Json& json, std::size_t index) {
  const std::string path = fmt::format("sinks[{}]", index);
  sink::Options options;
  options.name = fmt::format("sink-{}", index + 1);
  ConfigReader reader(json, path);
  reader.read("name", options.name);
  if (!is_name(options.name)) {
    reader.fail("name",
                fmt::format("must be 1 to {} letters, digits, \"-\" or \"_\"", longest_name),
                options.name);
  }
  std::string type = "nats_jetstream";
  reader.read("type", type);
  if (type != "nats_jetstream") {
    reader.fail("type", "must be \"nats_jetstream\"", type);
  }
  read_servers(reader, options.servers);
  reader.read("stream", options.stream);
  if (!is_name(options.stream)) {
    reader.fail("stream",
                fmt::format("must be the name of a stream, 1 to {} letters, digits, \"-\" or \"_\"",
                            longest_name),
                options.stream);
  }
  reader.read("subject", options.subject);
  if (const auto subject = sink::SubjectTemplate::read(options.subject); !subject) {
    reader.fail("subject", subject.error(), options.subject);
  }
  read_file_name(reader, "credentials", options.credentials);
  read_tls(reader, path, options.tls);
  reader.read("batch_max_bytes", options.batch_max_bytes, least_batch_bytes, most_batch_bytes);
  if (!json.contains("max_in_flight_bytes") &&
      options.max_in_flight_bytes < options.batch_max_bytes) {
    throw ConfigError(fmt::format(
        "{}.max_in_flight_bytes: must be there, not below {}.batch_max_bytes, which is {}: without "
        "it is {}",
        path, path, options.batch_max_bytes, options.max_in_flight_bytes));
  }
  reader.read("max_in_flight_bytes", options.max_in_flight_bytes, options.batch_max_bytes,
              most_in_flight_bytes);
  reader.read("when_behind", options.when_behind,
              std::span<const std::pair<std::string_view, sink::WhenBehind>>(behind_policies));
  reader.finish();
  return options;
}

}  // namespace

std::vector<sink::Options> read_sinks(const ConfigReader& root, const Json& json) {
  if (!json.is_array() || json.size() > most_sinks) {
    root.fail("sinks", fmt::format("must be a list of 0 to {} sinks", most_sinks), json);
  }
  std::vector<sink::Options> sinks;
  std::set<std::string> names;
  for (std::size_t i = 0; i < json.size(); ++i) {
    sinks.push_back(read_sink(json[i], i));
    if (!names.insert(sinks.back().name).second) {
      throw ConfigError(
          fmt::format("sinks[{}].name: \"{}\" is taken by another sink; names must differ", i,
                      sinks.back().name));
    }
  }
  return sinks;
}

}  // namespace meridian::daemon
