// What a configuration makes the daemon hold. That broken ones are refused by the program, and how,
// is in integration/check_config_test.cpp.
#include "daemon/read_config.hpp"
#include "integration/harness/temp_dir.hpp"
#include "places.hpp"
#include "runtime/default_socket.hpp"
#include "runtime/log_level.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <ostream>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace meridian::test {

using namespace daemon;

namespace {

using testing::HasSubstr;
using testing::StartsWith;
using testing::ThrowsMessage;

// Section 5 of the contract, word for word.
constexpr std::string_view contract = R"({
  "uplinks": [
    { "name": "native", "listen": "127.0.0.1:7400", "framing": "length_prefixed",
      "max_sessions": 1024, "max_payload_bytes": 65536, "idle_timeout_s": 0, "when_channel_full": "backpressure" },
    { "name": "space-packets", "listen": "127.0.0.1:7401", "framing": "ccsds_space_packet", "satellite_id": 1 }
  ],
  "channel": { "capacity": 128 },
  "buffer":  { "max_frames": 1000000, "max_bytes": 268435456, "when_full": "drop_oldest" },
  "control": { "socket": "/run/meridian/control.sock", "mode": "0660", "max_clients": 64, "max_request_bytes": 65536 },
  "satellites": { "max_tracked": 65536 },
  "threads": 0,
  "log":     { "level": "info", "format": "text", "target": "stderr" }
})";

void expect_same(const uplink::ListenerOptions& a, const uplink::ListenerOptions& b) {
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.host, b.host);
  EXPECT_EQ(a.port, b.port);
  EXPECT_EQ(a.framing, b.framing);
  EXPECT_EQ(a.satellite_id, b.satellite_id);
  EXPECT_EQ(a.max_sessions, b.max_sessions);
  EXPECT_EQ(a.max_payload_bytes, b.max_payload_bytes);
  EXPECT_EQ(a.idle_timeout, b.idle_timeout);
  EXPECT_EQ(a.peer_timeout, b.peer_timeout);
  EXPECT_EQ(a.when_channel_full, b.when_channel_full);
}

void expect_same(const Config& a, const Config& b) {
  ASSERT_EQ(a.uplinks.size(), b.uplinks.size());
  for (std::size_t i = 0; i < a.uplinks.size(); ++i) {
    expect_same(a.uplinks[i], b.uplinks[i]);
  }
  EXPECT_EQ(a.aggregator.channel_capacity, b.aggregator.channel_capacity);
  EXPECT_EQ(a.aggregator.buffer.max_frames, b.aggregator.buffer.max_frames);
  EXPECT_EQ(a.aggregator.buffer.max_bytes, b.aggregator.buffer.max_bytes);
  EXPECT_EQ(a.aggregator.buffer.when_full, b.aggregator.buffer.when_full);
  EXPECT_EQ(a.aggregator.max_tracked, b.aggregator.max_tracked);
  EXPECT_EQ(a.aggregator.reset_after, b.aggregator.reset_after);
  EXPECT_EQ(a.forget_after, b.forget_after);
  EXPECT_EQ(a.control.socket, b.control.socket);
  EXPECT_EQ(a.control.access.mode, b.control.access.mode);
  EXPECT_EQ(a.control.access.group, b.control.access.group);
  EXPECT_EQ(a.state_directory, b.state_directory);
  EXPECT_EQ(a.when_state_unreadable, b.when_state_unreadable);
  EXPECT_EQ(a.control.max_clients, b.control.max_clients);
  EXPECT_EQ(a.control.max_request_bytes, b.control.max_request_bytes);
  EXPECT_EQ(a.http, b.http);
  EXPECT_EQ(a.sinks, b.sinks);
  EXPECT_EQ(a.threads, b.threads);
  EXPECT_EQ(a.log.level, b.log.level);
  EXPECT_EQ(a.log.format, b.log.format);
  EXPECT_EQ(a.log.target, b.log.target);
}

/// The defaults as they are for root, whoever runs the test.
Config installed_defaults() {
  Config config = default_config();
  config.control.socket = "/run/meridian/control.sock";
  return config;
}

uplink::ListenerOptions parse_listener(const std::string& fields) {
  return parse_config(R"({"uplinks":[{)" + fields + "}]}").uplinks.at(0);
}

TEST(Config, DefaultsAreTheContractsFile) {
  expect_same(installed_defaults(), parse_config(contract));
}

TEST(Config, DefaultsAreTheInstalledFile) {
  expect_same(installed_defaults(), load_config(test::source_dir() / "config/meridiand.json"));
}

TEST(Config, DefaultsHoldWhereNothingIsSaid) {
  EXPECT_EQ(default_config().control.socket, runtime::default_socket());
  for (const char* text : {"{}", "{} // nothing",
                           R"({"channel":{},"buffer":{},"control":{},"satellites":{},"log":{}})"}) {
    expect_same(default_config(), parse_config(text));
  }
}

TEST(Config, ChangesOnlyWhatIsNamed) {
  Config expected = default_config();
  expected.aggregator.buffer.max_bytes = 5;
  expect_same(expected, parse_config(R"({"buffer": {"max_bytes": 5}})"));
}

TEST(Config, HoldsEveryKeyOfAFile) {
  const Config config = parse_config(R"({
    // Nothing here is a default.
    "uplinks": [{ "name": "deep", "listen": "[::1]:9", "framing": "ccsds_space_packet",
                  "satellite_id": 4000000000, "max_sessions": 2, "max_payload_bytes": 300,
                  "idle_timeout_s": 90, "when_channel_full": "drop" }],
    "channel": { "capacity": 3 },
    "buffer": { "max_frames": 4, "max_bytes": 5, "when_full": "backpressure" },
    "control": { "socket": "/tmp/x", "mode": "0600", "max_clients": 6, "max_request_bytes": 700 },
    "http": { "listen": "[::1]:10", "max_clients": 11, "timeout_s": 12, "max_satellites": 13 },
    "satellites": { "max_tracked": 8 },
    "threads": 9,
    "log": { "level": "error", "format": "json", "target": "/var/log/x" } })");

  Config expected;
  expected.uplinks = {{.name = "deep",
                       .host = "::1",
                       .port = 9,
                       .framing = Framing::ccsds_space_packet,
                       .satellite_id = 4'000'000'000,
                       .max_sessions = 2,
                       .max_payload_bytes = 300,
                       .idle_timeout = std::chrono::seconds(90),
                       .when_channel_full = uplink::WhenChannelFull::drop}};
  expected.aggregator = {
      .channel_capacity = 3,
      .buffer = {.max_frames = 4, .max_bytes = 5, .when_full = WhenFull::backpressure},
      .max_tracked = 8};
  expected.control = {
      .socket = "/tmp/x", .access = {.mode = 0600}, .max_clients = 6, .max_request_bytes = 700};
  expected.http = {.listen = {{boost::asio::ip::make_address("::1"), 10}},
                   .max_clients = 11,
                   .timeout = std::chrono::seconds(12),
                   .max_satellites = 13};
  expected.threads = 9;
  expected.log = {.level = spdlog::level::err, .format = LogFormat::json, .target = "/var/log/x"};
  expect_same(expected, config);
}

TEST(ListenerConfig, HasDefaultsOfItsOwn) {
  const std::vector<uplink::ListenerOptions> listeners =
      parse_config(R"({"uplinks":[{}, {"listen":"127.0.0.1:1","framing":"ccsds_space_packet"}]})")
          .uplinks;
  ASSERT_EQ(listeners.size(), 2U);
  expect_same(listeners[0], {.name = "uplink-1", .host = "127.0.0.1", .port = 7400});
  expect_same(listeners[1], {.name = "uplink-2",
                             .host = "127.0.0.1",
                             .port = 1,
                             .framing = Framing::ccsds_space_packet,
                             .max_payload_bytes = 65542});
}

TEST(ListenerConfig, ReplacesTheDefaultListenersAltogether) {
  EXPECT_EQ(parse_config(R"({"uplinks":[{"name":"only"}]})").uplinks.size(), 1U);
}

struct Address {
  const char* name;
  const char* listen;
  const char* host;
  std::uint16_t port;
};
void PrintTo(const Address& address, std::ostream* out) {
  *out << address.name;
}

class Addresses : public testing::TestWithParam<Address> {};

TEST_P(Addresses, AreTakenApart) {
  const auto listener = parse_listener("\"listen\":\"" + std::string(GetParam().listen) + "\"");
  EXPECT_EQ(listener.host, GetParam().host);
  EXPECT_EQ(listener.port, GetParam().port);
}

INSTANTIATE_TEST_SUITE_P(Each, Addresses,
                         testing::Values(Address{"V4", "10.1.2.3:65535", "10.1.2.3", 65535},
                                         Address{"AnyV4", "0.0.0.0:1", "0.0.0.0", 1},
                                         Address{"FreePort", "127.0.0.1:0", "127.0.0.1", 0},
                                         Address{"V6", "[2001:db8::7]:80", "2001:db8::7", 80},
                                         Address{"AnyV6", "[::]:7400", "::", 7400}),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(ListenerConfig, MayAskForSeveralFreePorts) {
  EXPECT_EQ(parse_config(R"({"uplinks":[{"listen":"127.0.0.1:0"},{"listen":"127.0.0.1:0"}]})")
                .uplinks.size(),
            2U);
}

TEST(ControlConfig, ReadsItsModeAsOctal) {
  for (const auto& [text, mode] : std::vector<std::pair<std::string, std::uint32_t>>{
           {"0000", 0}, {"0600", 0600}, {"0666", 0666}, {"0777", 0777}}) {
    EXPECT_EQ(parse_config(R"({"control":{"mode":")" + text + R"("}})").control.access.mode, mode);
  }
  for (const char* text : {"", "660", "00660", "1660", "0x1b", "066 ", "-660"}) {
    EXPECT_THAT(
        [&] {
          std::ignore = parse_config(R"({"control":{"mode":")" + std::string(text) + R"("}})");
        },
        ThrowsMessage<config::Error>(StartsWith("control.mode: must be an octal file mode")))
        << text;
  }
}

TEST(ControlConfig, KnowsAGroupByName) {
  EXPECT_EQ(parse_config(R"({"control":{"group":"root"}})").control.access.group, gid_t{0});
  EXPECT_EQ(parse_config(R"({"control":{"group":null}})").control.access.group, std::nullopt);
  EXPECT_EQ(
      parse_config(R"({"control":{"read_only_group":"root"}})").control.access.read_only_group,
      gid_t{0});
  EXPECT_THAT(
      [] { std::ignore = parse_config(R"({"control":{"group":"no such group"}})"); },
      ThrowsMessage<config::Error>(StartsWith("control.group: must be the name of a group")));
  EXPECT_THAT([] { std::ignore = parse_config(R"({"control":{"group":7}})"); },
              ThrowsMessage<config::Error>(StartsWith("control.group: must be a string or null")));
}

TEST(StateConfig, DefaultsToTheServiceManagersDirectory) {
  const auto directory = [](const char* value) {
    return parse_config(std::string(R"({"state":{"directory":)") + value + "}}").state_directory;
  };
  EXPECT_EQ(directory("null"), std::nullopt);
  EXPECT_EQ(directory(R"("/tmp/x")"), "/tmp/x");
  ::setenv("STATE_DIRECTORY", "/var/lib/a:/var/lib/b", 1);
  EXPECT_EQ(directory("null"), "/var/lib/a");
  EXPECT_EQ(directory(R"("/tmp/x")"), "/tmp/x");
  ::unsetenv("STATE_DIRECTORY");
  EXPECT_THAT(
      [&] { std::ignore = directory(R"("relative")"); },
      ThrowsMessage<config::Error>(StartsWith("state.directory: must be the absolute path")));
}

TEST(LogConfig, KnowsEveryLevelByName) {
  const std::vector<std::pair<std::string, spdlog::level::level_enum>> levels{
      {"trace", spdlog::level::trace}, {"debug", spdlog::level::debug},
      {"info", spdlog::level::info},   {"warning", spdlog::level::warn},
      {"error", spdlog::level::err},   {"critical", spdlog::level::critical},
      {"off", spdlog::level::off}};
  std::string names;
  for (const auto& [name, level] : levels) {
    EXPECT_EQ(runtime::log_level_from(name), level);
    EXPECT_EQ(runtime::name_of(level), name);
    EXPECT_EQ(parse_config(R"({"log":{"level":")" + name + R"("}})").log.level, level);
    names += (names.empty() ? "" : ", ") + name;
  }
  EXPECT_EQ(runtime::log_level_names, names);
  EXPECT_EQ(runtime::log_level_from("INFO"), std::nullopt);
  EXPECT_EQ(runtime::log_level_from(""), std::nullopt);
}

TEST(ConfigFile, IsNamedInFrontOfItsErrors) {
  const test::TempDir directory;
  const std::string file = directory.write("broken.json", R"({"threads": "many"})");
  EXPECT_THAT([&] { std::ignore = load_config(file); },
              ThrowsMessage<config::Error>(StartsWith(file + ": threads: must be an integer")));
}

TEST(ConfigFile, IsReadWhereItIsGiven) {
  const test::TempDir directory;
  EXPECT_EQ(find_config(directory.write("small.json", R"({"threads": 3})")).threads, 3U);
  EXPECT_THAT([&] { std::ignore = find_config(directory.file("missing.json")); },
              ThrowsMessage<config::Error>(HasSubstr("missing.json: cannot be read")));
  EXPECT_THAT([] { std::ignore = load_config("/dev/zero"); },
              ThrowsMessage<config::Error>(HasSubstr("cannot be read: it has more than")))
      << "a file without an end";
}

}  // namespace
}  // namespace meridian::test
