// Every key by itself: where an error says that it is, and the bounds of its value.
#include "daemon/config.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cctype>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <tuple>

namespace meridian::daemon {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using ::testing::ThrowsMessage;

/// A key and the object that it stands in: "" for the whole file, "uplinks[0]" for a listener.
struct Key {
  std::string_view section;
  std::string_view key;

  [[nodiscard]] std::string path() const {
    return section.empty() ? std::string(key) : fmt::format("{}.{}", section, key);
  }
  /// A configuration with nothing else in it; a listener is one for space packets.
  [[nodiscard]] std::string with(std::string_view value) const {
    if (section.empty()) {
      return fmt::format(R"({{"{}":{}}})", key, value);
    }
    if (section == "http") {  // which is nothing without an address
      return fmt::format(R"({{"http":{{"listen":"127.0.0.1:0","{}":{}}}}})", key, value);
    }
    if (section != "uplinks[0]") {
      return fmt::format(R"({{"{}":{{"{}":{}}}}})", section, key, value);
    }
    return fmt::format(R"({{"uplinks":[{{{}"{}":{}}}]}})",
                       key == "framing" ? "" : R"("framing":"ccsds_space_packet",)", key, value);
  }
  /// For the name of a test.
  [[nodiscard]] std::string identifier() const {
    std::string text;
    for (const char letter : path()) {
      text += std::isalnum(static_cast<unsigned char>(letter)) != 0 ? letter : '_';
    }
    return text;
  }
};
void PrintTo(const Key& key, std::ostream* out) {
  *out << key.path();
}

class EveryKey : public ::testing::TestWithParam<Key> {};

TEST_P(EveryKey, OfAnotherTypeIsAnErrorThatNamesItsPathAndValue) {
  for (const char* value : {"true", "null", "-1", "1.5"}) {
    EXPECT_THAT([&] { std::ignore = parse_config(GetParam().with(value)); },
                ThrowsMessage<ConfigError>(
                    ::testing::AllOf(StartsWith(GetParam().path() + ": must be "),
                                     ::testing::EndsWith(fmt::format(", is {}", value)))));
  }
}

TEST_P(EveryKey, IsAllowedOnceOnly) {
  const Key& key = GetParam();
  const std::string twice = fmt::format(R"(1,"{}":)", key.key);
  EXPECT_THAT([&] { std::ignore = parse_config(key.with(twice + "2")); },
              ThrowsMessage<ConfigError>(StartsWith(key.path() + ": is given twice")));
}

INSTANTIATE_TEST_SUITE_P(
    Each, EveryKey,
    ::testing::Values(Key{"", "uplinks"}, Key{"", "channel"}, Key{"", "buffer"}, Key{"", "control"},
                      Key{"", "satellites"}, Key{"", "sinks"}, Key{"", "threads"}, Key{"", "log"},
                      Key{"uplinks[0]", "name"}, Key{"uplinks[0]", "listen"},
                      Key{"uplinks[0]", "framing"}, Key{"uplinks[0]", "satellite_id"},
                      Key{"uplinks[0]", "max_sessions"}, Key{"uplinks[0]", "max_payload_bytes"},
                      Key{"uplinks[0]", "idle_timeout_s"}, Key{"uplinks[0]", "when_channel_full"},
                      Key{"channel", "capacity"}, Key{"buffer", "max_frames"},
                      Key{"buffer", "max_bytes"}, Key{"buffer", "when_full"},
                      Key{"control", "socket"}, Key{"control", "mode"},
                      Key{"control", "max_clients"}, Key{"control", "max_request_bytes"},
                      Key{"satellites", "max_tracked"}, Key{"satellites", "reset_after_frames"},
                      Key{"satellites", "silent_after_s"}, Key{"satellites", "forget_after_s"},
                      Key{"uplinks[0]", "peer_timeout_s"}, Key{"http", "max_clients"},
                      Key{"http", "timeout_s"}, Key{"http", "max_satellites"}, Key{"", "http"},
                      Key{"http", "names"}, Key{"http", "max_event_streams"},
                      Key{"http", "event_stream_s"}, Key{"control", "idle_timeout_s"},
                      Key{"log", "level"}, Key{"log", "format"}, Key{"log", "target"}),
    [](const auto& each) { return each.param.identifier(); });

struct Bounds {
  Key key;
  std::uint64_t least;
  std::uint64_t most;
  std::uint64_t (*held)(const Config& config);
};
void PrintTo(const Bounds& bounds, std::ostream* out) {
  *out << bounds.key.path();
}

class EveryInteger : public ::testing::TestWithParam<Bounds> {};

TEST_P(EveryInteger, IsHeldFromItsLeastToItsMost) {
  const Bounds& bounds = GetParam();
  for (const std::uint64_t value : {bounds.least, bounds.least + 1, bounds.most}) {
    EXPECT_EQ(bounds.held(parse_config(bounds.key.with(std::to_string(value)))), value);
  }
}

TEST_P(EveryInteger, IsRefusedBeyondThemAndNotClamped) {
  const Bounds& bounds = GetParam();
  const std::string below = bounds.least == 0 ? "-1" : std::to_string(bounds.least - 1);
  const std::string above = std::to_string(bounds.most + 1);
  for (const std::string& value : {below, above, std::string("18446744073709551616")}) {
    EXPECT_THAT([&] { std::ignore = parse_config(bounds.key.with(value)); },
                ThrowsMessage<ConfigError>(
                    StartsWith(fmt::format("{}: must be an integer from {} to {}, is ",
                                           bounds.key.path(), bounds.least, bounds.most))));
  }
}

constexpr std::uint64_t mebi = 1024 * 1024;

INSTANTIATE_TEST_SUITE_P(
    Each, EveryInteger,
    ::testing::Values(
        Bounds{{"uplinks[0]", "satellite_id"},
               0,
               4'294'967'295,
               [](const Config& c) -> std::uint64_t { return c.uplinks.at(0).satellite_id; }},
        Bounds{{"uplinks[0]", "max_sessions"},
               1,
               1'000'000,
               [](const Config& c) -> std::uint64_t { return c.uplinks.at(0).max_sessions; }},
        Bounds{{"uplinks[0]", "max_payload_bytes"},
               7,
               65'542,
               [](const Config& c) -> std::uint64_t { return c.uplinks.at(0).max_payload_bytes; }},
        Bounds{{"uplinks[0]", "idle_timeout_s"},
               0,
               365 * 24 * 3600,
               [](const Config& c) {
                 return static_cast<std::uint64_t>(c.uplinks.at(0).idle_timeout.count());
               }},
        Bounds{{"uplinks[0]", "peer_timeout_s"},
               0,
               32'767,
               [](const Config& c) {
                 return static_cast<std::uint64_t>(c.uplinks.at(0).peer_timeout.count());
               }},
        Bounds{{"channel", "capacity"},
               1,
               65'536,
               [](const Config& c) -> std::uint64_t { return c.aggregator.channel_capacity; }},
        Bounds{{"buffer", "max_frames"},
               1,
               1'000'000'000'000,
               [](const Config& c) { return c.aggregator.buffer.max_frames; }},
        Bounds{{"buffer", "max_bytes"},
               1,
               mebi* mebi * 1024,
               [](const Config& c) { return c.aggregator.buffer.max_bytes; }},
        Bounds{{"control", "max_clients"},
               1,
               10'000,
               [](const Config& c) -> std::uint64_t { return c.control.max_clients; }},
        Bounds{{"control", "max_request_bytes"},
               64,
               16 * mebi,
               [](const Config& c) -> std::uint64_t { return c.control.max_request_bytes; }},
        Bounds{{"control", "idle_timeout_s"},
               0,
               365 * 24 * 3600,
               [](const Config& c) {
                 return static_cast<std::uint64_t>(c.control.idle_timeout.count());
               }},
        Bounds{{"http", "max_event_streams"},
               0,
               10'000,
               [](const Config& c) -> std::uint64_t { return c.http.max_event_streams; }},
        Bounds{{"http", "event_stream_s"},
               1,
               365 * 24 * 3600,
               [](const Config& c) {
                 return static_cast<std::uint64_t>(c.http.event_stream.count());
               }},
        Bounds{{"satellites", "max_tracked"},
               1,
               16 * mebi,
               [](const Config& c) -> std::uint64_t { return c.aggregator.max_tracked; }},
        Bounds{{"satellites", "reset_after_frames"},
               2,
               1000,
               [](const Config& c) -> std::uint64_t { return c.aggregator.reset_after; }},
        Bounds{{"satellites", "silent_after_s"},
               0,
               365 * 24 * 3600,
               [](const Config& c) { return static_cast<std::uint64_t>(c.silent_after.count()); }},
        Bounds{{"satellites", "forget_after_s"},
               0,
               365 * 24 * 3600,
               [](const Config& c) { return static_cast<std::uint64_t>(c.forget_after.count()); }},
        Bounds{{"http", "max_clients"},
               1,
               10'000,
               [](const Config& c) -> std::uint64_t { return c.http.max_clients; }},
        Bounds{{"http", "timeout_s"},
               1,
               3600,
               [](const Config& c) { return static_cast<std::uint64_t>(c.http.timeout.count()); }},
        Bounds{{"http", "max_satellites"},
               0,
               65'536,
               [](const Config& c) -> std::uint64_t { return c.http.max_satellites; }},
        Bounds{
            {"", "threads"}, 0, 1024, [](const Config& c) -> std::uint64_t { return c.threads; }}),
    [](const auto& each) { return each.param.key.identifier(); });

TEST(NativeListener, TakesPayloadsFromOneOctetToSixteenMebi) {
  const auto with = [](const std::string& bytes) {
    return parse_config(R"({"uplinks":[{"max_payload_bytes":)" + bytes + "}]}");
  };
  EXPECT_EQ(with("1").uplinks.at(0).max_payload_bytes, 1U);
  EXPECT_EQ(with("16777216").uplinks.at(0).max_payload_bytes, 16'777'216U);
  for (const char* bytes : {"0", "16777217"}) {
    EXPECT_THAT([&] { std::ignore = with(bytes); },
                ThrowsMessage<ConfigError>(HasSubstr("integer from 1 to 16777216")));
  }
}

class EverySection : public ::testing::TestWithParam<std::string_view> {};

TEST_P(EverySection, RefusesAKeyThatItDoesNotKnowAndNamesThoseThatItDoes) {
  const Key key{GetParam(), "colour"};
  EXPECT_THAT([&] { std::ignore = parse_config(key.with("1")); },
              ThrowsMessage<ConfigError>(StartsWith(key.path() + ": unknown key; allowed here: ")));
}

INSTANTIATE_TEST_SUITE_P(Each, EverySection,
                         ::testing::Values("", "uplinks[0]", "channel", "buffer", "control", "http",
                                           "satellites", "log"),
                         [](const auto& each) {
                           return each.param.empty() ? "top" : std::string(each.param.substr(0, 7));
                         });

}  // namespace
}  // namespace meridian::daemon
