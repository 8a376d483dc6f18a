#include "daemon/log_writer.hpp"

#include "runtime/log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace meridian::test {

using namespace daemon;

namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

/// Takes lines, "message|name=value", while its gate is open; a writer waits in front of it else.
class GatedSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  void open(bool open = true) {
    const std::lock_guard lock(gate_mutex_);
    open_ = open;
    changed_.notify_all();
  }
  void fail(bool fails) {
    const std::lock_guard lock(gate_mutex_);
    fails_ = fails;
  }
  [[nodiscard]] std::vector<std::string> lines() {
    const std::lock_guard lock(gate_mutex_);
    return lines_;
  }
  void wait_for_a_writer() {
    std::unique_lock lock(gate_mutex_);
    changed_.wait(lock, [this] { return waits_; });
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    std::unique_lock lock(gate_mutex_);
    waits_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
    waits_ = false;
    if (fails_) {
      throw std::runtime_error("no space");
    }
    std::string line(message.payload.data(), message.payload.size());
    for (const runtime::log::Field& field : runtime::log::current_fields()) {
      line += "|" + std::string(field.name) + "=" + field.value;
    }
    lines_.push_back(line);
  }
  void flush_() override {}

 private:
  std::mutex gate_mutex_;
  // Protected by gate_mutex_.
  std::condition_variable changed_;
  bool open_ = false;
  bool waits_ = false;
  bool fails_ = false;
  std::vector<std::string> lines_;
};

class LogWriterTest : public testing::Test {
 public:
  ~LogWriterTest() override { target_->open(); }

 protected:
  std::shared_ptr<GatedSink> target_ = std::make_shared<GatedSink>();
};

TEST_F(LogWriterTest, KeepsNobodyWaitingWhateverTheTargetDoes) {
  const auto writer = std::make_shared<LogWriter>(target_);
  spdlog::logger logger("test", writer);
  for (int i = 0; i < 3; ++i) {
    logger.info("line {}", i);  // the gate is shut, and this returns
  }
  EXPECT_FALSE(writer->wait_written(1ms));
  target_->open();
  EXPECT_TRUE(writer->wait_written(10s));
  EXPECT_THAT(target_->lines(), ElementsAre("line 0", "line 1", "line 2"));
}

TEST_F(LogWriterTest, HandsFieldsOnWithTheirLine) {
  const auto writer = std::make_shared<LogWriter>(target_);
  spdlog::logger logger("test", writer);
  {
    const runtime::log::Fields fields{{"peer", "[::1]:7"}};
    const runtime::log::FieldScope scope(fields);
    logger.info("one");
  }
  logger.info("two");
  target_->open();
  ASSERT_TRUE(writer->wait_written(10s));
  EXPECT_THAT(target_->lines(), ElementsAre("one|peer=[::1]:7", "two"));
}

TEST_F(LogWriterTest, DropsAndCountsTheOldestBeyondItsBound) {
  const std::uint64_t lost_before = runtime::log::lost_lines();
  const auto writer = std::make_shared<LogWriter>(target_, LogWriter::Bounds{.lines = 3});
  spdlog::logger logger("test", writer);
  logger.info("on its way");
  target_->wait_for_a_writer();
  for (int i = 0; i < 8; ++i) {
    logger.info("line {}", i);
  }
  target_->open();
  ASSERT_TRUE(writer->wait_written(10s));
  EXPECT_THAT(target_->lines(), ElementsAre("on its way", HasSubstr("5 log lines are lost"),
                                            "line 5", "line 6", "line 7"));
  EXPECT_EQ(runtime::log::lost_lines() - lost_before, 5U);
}

TEST_F(LogWriterTest, HasABoundInOctetsToo) {
  const auto writer = std::make_shared<LogWriter>(target_, LogWriter::Bounds{.bytes = 100'000});
  spdlog::logger logger("test", writer);
  logger.info("on its way");
  target_->wait_for_a_writer();
  for (int i = 0; i < 10; ++i) {
    logger.info(std::string(40'000, 'x'));
  }
  target_->open();
  ASSERT_TRUE(writer->wait_written(10s));
  EXPECT_EQ(target_->lines().size(), 4U) << "two of the ten, and how many are lost";
}

TEST_F(LogWriterTest, CountsLinesThatTheTargetRefused) {
  const auto writer = std::make_shared<LogWriter>(target_);
  spdlog::logger logger("test", writer);
  target_->fail(true);
  target_->open();
  logger.info("one");
  logger.info("two");
  ASSERT_TRUE(writer->wait_written(10s));
  target_->fail(false);
  logger.info("three");
  ASSERT_TRUE(writer->wait_written(10s));
  EXPECT_THAT(target_->lines(), ElementsAre(HasSubstr("2 log lines are lost"), "three"));
}

TEST_F(LogWriterTest, WritesWhatWaitsAlsoAfterItsEnd) {
  auto writer = std::make_shared<LogWriter>(target_);
  {
    spdlog::logger logger("test", writer);
    logger.info("one");
    logger.info("two");
  }
  writer.reset();
  target_->open();
  for (int i = 0; i < 1000 && target_->lines().size() < 2; ++i) {
    std::this_thread::sleep_for(10ms);
  }
  EXPECT_THAT(target_->lines(), ElementsAre("one", "two"));
}

}  // namespace
}  // namespace meridian::test
