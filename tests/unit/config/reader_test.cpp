#include "config/reader.hpp"

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

namespace meridian::test {

using namespace config;

namespace {

using testing::HasSubstr;
using Json = Reader::Json;
using testing::ThrowsMessage;

enum class Colour : std::uint8_t { red, green };
constexpr std::array<std::pair<std::string_view, Colour>, 2> colours{
    {{"red", Colour::red}, {"green", Colour::green}}};

std::span<const std::pair<std::string_view, Colour>> all_colours() {
  return colours;
}

TEST(ConfigReader, ReadsIntegersTextsAndNames) {
  const Json json = {{"size", 5U}, {"name", "x"}, {"colour", "green"}};
  Reader reader(json, "");
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

TEST(ConfigReader, LeavesATargetUnchangedWithoutItsKey) {
  const Json json = Json::object();
  Reader reader(json, "");
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

TEST(ConfigReader, LeavesATargetUnchangedByARefusedValue) {
  const Json json = {{"size", 11U}, {"colour", "blue"}};
  Reader reader(json, "");
  std::uint64_t size = 7;
  Colour colour = Colour::green;
  EXPECT_THROW(reader.read("size", size, 1, 10), Error);
  EXPECT_THROW(reader.read("colour", colour, all_colours()), Error);
  EXPECT_EQ(size, 7U);
  EXPECT_EQ(colour, Colour::green);
}

TEST(ConfigReader, ReadsTheLargestInteger) {
  constexpr std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();
  const Json json = {{"size", largest}};
  Reader reader(json, "");
  std::uint64_t size = 0;
  reader.read("size", size, 0, largest);
  EXPECT_EQ(size, largest);
}

TEST(ConfigReader, SaysWhatIsAllowedAndWhatIsThere) {
  const Json json = {{"size", 11U}, {"colour", "blue"}, {"name", 5}};
  Reader reader(json, "paint[2]");
  std::uint64_t size = 0;
  std::string name;
  Colour colour = Colour::red;
  EXPECT_THAT([&] { reader.read("size", size, 1, 10); },
              ThrowsMessage<Error>("paint[2].size: must be an integer from 1 to 10, is 11"));
  EXPECT_THAT([&] { reader.read("name", name); },
              ThrowsMessage<Error>("paint[2].name: must be a string, is 5"));
  EXPECT_THAT([&] { reader.read("colour", colour, all_colours()); },
              ThrowsMessage<Error>(R"(paint[2].colour: must be one of "red", "green", is "blue")"));
}

TEST(ConfigReader, RefusesUnreadKeysAndNamesTheOthers) {
  const Json json = {{"size", 1U}, {"sise", 2U}};
  Reader reader(json, "paint");
  std::uint64_t size = 0;
  reader.read("size", size, 1, 10);
  std::ignore = reader.find("name");
  EXPECT_THAT([&] { reader.finish(); },
              ThrowsMessage<Error>("paint.sise: unknown key; allowed here: size, name"));
}

TEST(ConfigReader, RefusesWhatIsNoObject) {
  const Json list = Json::array({1});
  EXPECT_THAT([&] { const Reader reader(list, "paint"); },
              ThrowsMessage<Error>("paint: must be an object, is [1]"));
  EXPECT_THAT([&] { const Reader reader(list, ""); },
              ThrowsMessage<Error>("the configuration: must be an object, is [1]"));
}

TEST(ConfigReader, ShowsTheBeginningOfALongValue) {
  const Json json = {{"size", std::string(10'000, 'x')}};
  Reader reader(json, "");
  std::uint64_t size = 0;
  try {
    reader.read("size", size, 1, 10);
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("is \"xxxxx"));
    EXPECT_LT(std::string_view(error.what()).size(), 150U);
  }
}

TEST(ConfigReader, TellsThePathsOfItsKeys) {
  const Json json = Json::object();
  EXPECT_EQ(Reader(json, "").path_of("size"), "size");
  EXPECT_EQ(Reader(json, "uplinks[3]").path_of("size"), "uplinks[3].size");
}

}  // namespace
}  // namespace meridian::test
