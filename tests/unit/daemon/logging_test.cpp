#include "daemon/logging.hpp"

#include "integration/harness/temp_dir.hpp"
#include "runtime/log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>

namespace meridian::test {

using namespace daemon;

namespace {

using testing::EndsWith;

/// What a log file has after one message, which somebody else has had a hand in.
std::string logged_as(LogFormat format, std::string_view message) {
  const test::TempDir directory;
  const std::string file = directory.file("log");
  const auto writer = open_log({.format = format, .target = file});
  spdlog::logger logger("test", writer);
  logger.info("sink a: {}", message);
  EXPECT_TRUE(writer->wait_written(std::chrono::seconds(10)));
  return test::read_file(file);
}

TEST(LogFile, HasOneLineForAnyMessage) {
  const std::string text = logged_as(LogFormat::text, "gone\n2026 error made up\x1b[2J\u202e");
  EXPECT_THAT(text, EndsWith(R"(info sink a: gone\n2026 error made up\x1b[2J\u{202e})"
                             "\n"));
  EXPECT_EQ(std::ranges::count(text, '\n'), 1);
}

TEST(LogFile, HasOneObjectForAMessageInJson) {
  const std::string text = logged_as(LogFormat::json, "gone\n\x1b[2J");
  EXPECT_EQ(std::ranges::count(text, '\n'), 1);
  EXPECT_EQ(nlohmann::json::parse(text).at("message"), "sink a: gone\n\x1b[2J");
}

}  // namespace
}  // namespace meridian::test
