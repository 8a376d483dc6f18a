// Every key of the tables by itself: what an error says, the bounds of its value, and what a reload
// does with a change.
#include "daemon/config_changes.hpp"
#include "daemon/keys.hpp"
#include "daemon/read_config.hpp"
#include "sink/keys.hpp"
#include "uplink/keys.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <functional>
#include <ostream>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace meridian::test {

using namespace daemon;

namespace {

using config::KeyFacts;
using config::Kind;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;
using testing::ThrowsMessage;

/// A key and the object that it stands in: "" for the whole file, "uplinks[0]" for a listener.
struct Key {
  std::string section;
  KeyFacts facts;
  std::function<nlohmann::json(const Config&)> value;

  [[nodiscard]] std::string name() const { return std::string(facts.name); }
  [[nodiscard]] std::string path() const {
    return section.empty() ? name() : fmt::format("{}.{}", section, name());
  }
  /// A configuration with nothing else in it than what the key needs.
  [[nodiscard]] std::string with(std::string_view value_text) const {
    if (section.empty()) {
      return fmt::format(R"({{"{}":{}}})", name(), value_text);
    }
    if (section == "uplinks[0]") {
      return fmt::format(R"({{"uplinks":[{{{}"{}":{}}}]}})",
                         name() == "satellite_id" ? R"("framing":"ccsds_space_packet",)" : "",
                         name(), value_text);
    }
    if (section == "sinks[0]") {
      std::string needed;
      for (const auto& [key, text] :
           {std::pair{"servers", R"(["nats://h"])"}, std::pair{"stream", R"("S")"}}) {
        needed += name() == key ? "" : fmt::format(R"("{}":{},)", key, text);
      }
      needed += name() == "max_in_flight_bytes" ? R"("batch_max_bytes":1024,)" : "";
      return fmt::format(R"({{"buffer":{{"when_full":"backpressure"}},"sinks":[{{{}"{}":{}}}]}})",
                         needed, name(), value_text);
    }
    return fmt::format(R"({{"{}":{{"{}":{}}}}})", section, name(), value_text);
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

std::vector<Key> all_keys() {
  std::vector<Key> keys;
  for (const auto& each : uplink::listener_keys()) {
    keys.push_back({"uplinks[0]", each.facts,
                    [&each](const Config& config) { return each.value(config.uplinks.at(0)); }});
  }
  visit_sections([&](const Section& section, auto table, auto part) {
    for (const auto& each : table) {
      keys.push_back({std::string(section.name), each.facts,
                      [&each, part](const Config& config) { return each.value(part(config)); }});
    }
  });
  for (const auto& each : sink::sink_keys()) {
    keys.push_back({"sinks[0]", each.facts,
                    [&each](const Config& config) { return each.value(config.sinks.at(0)); }});
  }
  return keys;
}

std::vector<Key> keys_of_kind(Kind kind) {
  std::vector<Key> keys = all_keys();
  std::erase_if(keys, [kind](const Key& key) { return key.facts.kind != kind; });
  return keys;
}

std::string identifier_of(const testing::TestParamInfo<Key>& info) {
  return info.param.identifier();
}

TEST(Keys, AreAllInTheTables) {
  EXPECT_GT(all_keys().size(), 45U);
}

class EveryKey : public testing::TestWithParam<Key> {};

TEST_P(EveryKey, OfWrongTypeIsRefusedNamingItsPath) {
  const Key& key = GetParam();
  const bool may_be_null = key.facts.kind == Kind::text_or_null || key.facts.kind == Kind::object;
  for (const char* value : {"-1", "1.5", "true", "null"}) {
    if (may_be_null && value == std::string_view("null")) {
      continue;
    }
    EXPECT_THAT([&] { std::ignore = parse_config(key.with(value)); },
                ThrowsMessage<config::Error>(
                    testing::AllOf(StartsWith(key.path() + ": "), HasSubstr("must be "),
                                   EndsWith(fmt::format(", is {}", value)))));
  }
}

TEST_P(EveryKey, IsAllowedOnceOnly) {
  const Key& key = GetParam();
  const std::string twice = fmt::format(R"(1,"{}":)", key.name());
  EXPECT_THAT([&] { std::ignore = parse_config(key.with(twice + "2")); },
              ThrowsMessage<config::Error>(StartsWith(key.path() + ": is given twice")));
}

TEST_P(EveryKey, SaysWhatItIsInASentence) {
  const KeyFacts& facts = GetParam().facts;
  EXPECT_TRUE(facts.sentence.ends_with('.')) << facts.sentence;
  EXPECT_TRUE(facts.details.empty() || facts.details.ends_with('.')) << facts.details;
}

INSTANTIATE_TEST_SUITE_P(Each, EveryKey, testing::ValuesIn(all_keys()), identifier_of);

class EveryInteger : public testing::TestWithParam<Key> {};

TEST_P(EveryInteger, IsHeldFromItsLeastToItsMost) {
  const Key& key = GetParam();
  for (const std::uint64_t value : {key.facts.least, key.facts.least + 1, key.facts.most}) {
    if (key.path() == "sinks[0].batch_max_bytes" && value == key.facts.most) {
      continue;  // more than may be in flight by default
    }
    EXPECT_EQ(key.value(parse_config(key.with(std::to_string(value)))), value);
  }
}

TEST_P(EveryInteger, IsRefusedBeyondThemAndNotClamped) {
  const Key& key = GetParam();
  const std::string below = key.facts.least == 0 ? "-1" : std::to_string(key.facts.least - 1);
  const std::string above = std::to_string(key.facts.most + 1);
  for (const std::string& value : {below, above, std::string("18446744073709551616")}) {
    EXPECT_THAT([&] { std::ignore = parse_config(key.with(value)); },
                ThrowsMessage<config::Error>(
                    StartsWith(fmt::format("{}: must be an integer from {} to {}, is ", key.path(),
                                           key.facts.least, key.facts.most))));
  }
}

INSTANTIATE_TEST_SUITE_P(Each, EveryInteger, testing::ValuesIn(keys_of_kind(Kind::integer)),
                         identifier_of);

class EveryChoice : public testing::TestWithParam<Key> {};

TEST_P(EveryChoice, HoldsEachOfItsNames) {
  const Key& key = GetParam();
  ASSERT_GT(key.facts.choices.size(), 1U);
  for (const std::string_view name : key.facts.choices) {
    EXPECT_EQ(key.value(parse_config(key.with(fmt::format("\"{}\"", name)))), name);
  }
}

INSTANTIATE_TEST_SUITE_P(Each, EveryChoice, testing::ValuesIn(keys_of_kind(Kind::choice)),
                         identifier_of);

/// Those that can be changed by one, outside of lists: a change in a list is told in another way.
std::vector<Key> integers_of_sections() {
  std::vector<Key> keys = keys_of_kind(Kind::integer);
  std::erase_if(keys, [](const Key& key) { return key.section.ends_with(']'); });
  return keys;
}

class EveryChange : public testing::TestWithParam<Key> {};

TEST_P(EveryChange, IsReportedByPathAndAppliedAsListed) {
  const Key& key = GetParam();
  const Config now = default_config();
  const std::uint64_t value = key.value(now).get<std::uint64_t>() == key.facts.most
                                  ? key.facts.most - 1
                                  : key.value(now).get<std::uint64_t>() + 1;
  const Config next = parse_config(key.with(std::to_string(value)));
  const ConfigChanges changes = changes_between(now, next);
  const bool on_reload = key.facts.applies == config::Applies::on_reload;
  EXPECT_THAT(on_reload ? changes.applied : changes.needs_restart, ElementsAre(key.path()));
  EXPECT_THAT(on_reload ? changes.needs_restart : changes.applied, IsEmpty());
  EXPECT_EQ(key.value(applicable(now, next)) == value, on_reload);
}

INSTANTIATE_TEST_SUITE_P(Each, EveryChange, testing::ValuesIn(integers_of_sections()),
                         identifier_of);

TEST(NativeListener, TakesPayloadsFromOneOctetToSixteenMebi) {
  const auto with = [](const std::string& bytes) {
    return parse_config(R"({"uplinks":[{"max_payload_bytes":)" + bytes + "}]}");
  };
  EXPECT_EQ(with("1").uplinks.at(0).max_payload_bytes, 1U);
  EXPECT_EQ(with("16777216").uplinks.at(0).max_payload_bytes, 16'777'216U);
  for (const char* bytes : {"0", "16777217"}) {
    EXPECT_THAT([&] { std::ignore = with(bytes); },
                ThrowsMessage<config::Error>(HasSubstr("integer from 1 to 16777216")));
  }
}

TEST(SpacePacketListener, TakesPacketsFromTheSmallestToTheLargest) {
  const auto with = [](const std::string& bytes) {
    return parse_config(R"({"uplinks":[{"framing":"ccsds_space_packet","max_payload_bytes":)" +
                        bytes + "}]}");
  };
  EXPECT_EQ(with("7").uplinks.at(0).max_payload_bytes, 7U);
  EXPECT_EQ(with("65542").uplinks.at(0).max_payload_bytes, 65'542U);
  for (const char* bytes : {"6", "65543"}) {
    EXPECT_THAT([&] { std::ignore = with(bytes); },
                ThrowsMessage<config::Error>(HasSubstr("integer from 7 to 65542")));
  }
}

class EverySection : public testing::TestWithParam<std::string> {};

TEST_P(EverySection, RefusesUnknownKeysAndNamesKnownOnes) {
  const Key key{GetParam(), {.name = "colour"}, {}};
  EXPECT_THAT(
      [&] { std::ignore = parse_config(key.with("1")); },
      ThrowsMessage<config::Error>(StartsWith(key.path() + ": unknown key; allowed here: ")));
}

std::vector<std::string> all_sections() {
  std::vector<std::string> sections{"uplinks[0]"};
  visit_sections([&](const Section& section, auto, auto) { sections.emplace_back(section.name); });
  return sections;
}

INSTANTIATE_TEST_SUITE_P(Each, EverySection, testing::ValuesIn(all_sections()),
                         [](const auto& each) {
                           return each.param.empty() ? "top" : each.param.substr(0, 7);
                         });

}  // namespace
}  // namespace meridian::test
