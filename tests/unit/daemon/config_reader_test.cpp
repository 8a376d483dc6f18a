#include "daemon/config_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

namespace meridian::daemon {
namespace {

using ::testing::HasSubstr;
using Json = ConfigReader::Json;
using ::testing::ThrowsMessage;

enum class Colour : std::uint8_t { red, green };
constexpr std::array<std::pair<std::string_view, Colour>, 2> colours{
    {{"red", Colour::red}, {"green", Colour::green}}};

std::span<const std::pair<std::string_view, Colour>> all_colours() {
  return colours;
}

TEST(ConfigReader, ReadsIntegersTextsAndNames) {
  const Json json = {{"size", 5U}, {"name", "x"}, {"colour", "green"}};
  ConfigReader reader(json, "");
  std::uint16_t size = 0;
  std::string name;
  Colour colour = Colour::red;
  reader.read("size", size, 1, 10);
  reader.read("name", name);
  reader.read("colour", colour, all_colours());
  EXPECT_EQ(size, 5U);
  EXPECT_EQ(name, "x");
  EXPECT_EQ(colour, Colour::green);
  EXPECT_NO_THROW(reader.finish());
}

TEST(ConfigReader, LeavesATargetAsItIsWhereItsKeyIsNotThere) {
  const Json json = Json::object();
  ConfigReader reader(json, "");
  std::uint64_t size = 77;  // also outside of the bounds
  std::string name = "as it was";
  Colour colour = Colour::green;
  reader.read("size", size, 1, 10);
  reader.read("name", name);
  reader.read("colour", colour, all_colours());
  EXPECT_EQ(size, 77U);
  EXPECT_EQ(name, "as it was");
  EXPECT_EQ(colour, Colour::green);
  EXPECT_EQ(reader.find("other"), nullptr);
}

TEST(ConfigReader, LeavesATargetAsItIsWhereTheValueIsRefused) {
  const Json json = {{"size", 11U}, {"colour", "blue"}};
  ConfigReader reader(json, "");
  std::uint64_t size = 7;
  Colour colour = Colour::green;
  EXPECT_THROW(reader.read("size", size, 1, 10), ConfigError);
  EXPECT_THROW(reader.read("colour", colour, all_colours()), ConfigError);
  EXPECT_EQ(size, 7U);
  EXPECT_EQ(colour, Colour::green);
}

TEST(ConfigReader, ReadsTheLargestInteger) {
  constexpr std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();
  const Json json = {{"size", largest}};
  ConfigReader reader(json, "");
  std::uint64_t size = 0;
  reader.read("size", size, 0, largest);
  EXPECT_EQ(size, largest);
}

TEST(ConfigReader, SaysWhatIsAllowedAndWhatIsThere) {
  const Json json = {{"size", 11U}, {"colour", "blue"}, {"name", 5}};
  ConfigReader reader(json, "paint[2]");
  std::uint64_t size = 0;
  std::string name;
  Colour colour = Colour::red;
  EXPECT_THAT([&] { reader.read("size", size, 1, 10); },
              ThrowsMessage<ConfigError>("paint[2].size: must be an integer from 1 to 10, is 11"));
  EXPECT_THAT([&] { reader.read("name", name); },
              ThrowsMessage<ConfigError>("paint[2].name: must be a string, is 5"));
  EXPECT_THAT(
      [&] { reader.read("colour", colour, all_colours()); },
      ThrowsMessage<ConfigError>(R"(paint[2].colour: must be one of "red", "green", is "blue")"));
}

TEST(ConfigReader, RefusesKeysThatNobodyReadAndNamesTheOthers) {
  const Json json = {{"size", 1U}, {"sise", 2U}};
  ConfigReader reader(json, "paint");
  std::uint64_t size = 0;
  reader.read("size", size, 1, 10);
  std::ignore = reader.find("name");
  EXPECT_THAT([&] { reader.finish(); },
              ThrowsMessage<ConfigError>("paint.sise: unknown key; allowed here: size, name"));
}

TEST(ConfigReader, RefusesWhatIsNoObject) {
  const Json list = Json::array({1});
  EXPECT_THAT([&] { const ConfigReader reader(list, "paint"); },
              ThrowsMessage<ConfigError>("paint: must be an object, is [1]"));
  EXPECT_THAT([&] { const ConfigReader reader(list, ""); },
              ThrowsMessage<ConfigError>("the configuration: must be an object, is [1]"));
}

TEST(ConfigReader, ShowsTheBeginningOfALongValue) {
  const Json json = {{"size", std::string(10'000, 'x')}};
  ConfigReader reader(json, "");
  std::uint64_t size = 0;
  try {
    reader.read("size", size, 1, 10);
    FAIL() << "accepted";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("is \"xxxxx"));
    EXPECT_LT(std::string_view(error.what()).size(), 150U);
  }
}

TEST(ConfigReader, TellsThePathsOfItsKeys) {
  const Json json = Json::object();
  EXPECT_EQ(ConfigReader(json, "").path_of("size"), "size");
  EXPECT_EQ(ConfigReader(json, "uplinks[3]").path_of("size"), "uplinks[3].size");
}

}  // namespace
}  // namespace meridian::daemon
