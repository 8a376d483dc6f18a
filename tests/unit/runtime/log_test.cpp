#include "runtime/log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/sinks/base_sink.h>

#include <memory>
#include <string>
#include <vector>

namespace meridian::test {

using namespace runtime;

namespace {

/// Notes messages with their fields, as "message|name=value|…".
class NotingSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  std::vector<std::string> notes;

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    std::string note(message.payload.data(), message.payload.size());
    for (const log::Field& field : log::current_fields()) {
      note += "|" + std::string(field.name) + "=" + field.value;
    }
    notes.push_back(note);
  }
  void flush_() override {}
};

TEST(Log, GivesEachMessageItsOwnFieldsOnly) {
  const auto before = spdlog::default_logger();
  const auto sink = std::make_shared<NotingSink>();
  spdlog::set_default_logger(std::make_shared<spdlog::logger>("noting", sink));
  log::warn({{"peer", "[::1]:7"}, {"reason", "malformed"}}, "one {}", 1);
  spdlog::info("plain");
  log::info({{"satellite", "1"}, {"satellite", "2"}}, "two");
  spdlog::set_default_logger(before);
  EXPECT_THAT(sink->notes, testing::ElementsAre("one 1|peer=[::1]:7|reason=malformed", "plain",
                                                "two|satellite=1|satellite=2"));
}

}  // namespace
}  // namespace meridian::test
