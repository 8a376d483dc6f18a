// Many questions for stored messages at a time.
#include "sink/jetstream/look_ups.hpp"

#include "integration/harness/fake_stream.hpp"
#include "integration/harness/nats_server.hpp"
#include "integration/harness/test_sink.hpp"
#include "nats/connection.hpp"

#include <boost/asio/thread_pool.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace meridian::test {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::Pair;

/// Questions, and what came of them.
class Asking {
 public:
  explicit Asking(const sink::Options& options) {
    connection_.emplace(options.jetstream.connection(options.name), threads_.get_executor(),
                        [](const nats::ConnectionState&) {});
    look_ups_.emplace(*connection_, options, threads_.get_executor(),
                      [this](const sink::jetstream::Found& found) {
                        const std::lock_guard lock(mutex_);
                        answers_[found.ticket].push_back(text_of(found));
                      });
  }
  ~Asking() {
    look_ups_.reset();
    connection_.reset();
    threads_.join();
  }

  [[nodiscard]] bool connected() {
    return eventually([this] { return connection_->session() != nullptr; },
                      test::at_most(std::chrono::seconds(20)));
  }

  void ask(sink::Ticket ticket, sink::jetstream::Where where) {
    look_ups_->ask(ticket, std::move(where));
  }

  [[nodiscard]] bool has_all(std::size_t count) {
    return eventually([&] { return answers().size() >= count; },
                      test::at_most(std::chrono::seconds(20)));
  }
  [[nodiscard]] std::map<sink::Ticket, std::vector<std::string>> answers() {
    const std::lock_guard lock(mutex_);
    return answers_;
  }

  void end() { look_ups_.reset(); }

 private:
  static std::string text_of(const sink::jetstream::Found& found) {
    if (!found.message) {
      return std::string(name_of(found.message.error().refusal));
    }
    return *found.message ? (*found.message)->id : "none";
  }

  std::mutex mutex_;
  std::map<sink::Ticket, std::vector<std::string>> answers_;  // protected by mutex_
  boost::asio::thread_pool threads_{1};
  std::optional<nats::Connection> connection_;
  std::optional<sink::jetstream::LookUps> look_ups_;
};

class NatsLookUps : public test::NatsTest {
 protected:
  void SetUp() override {
    NatsTest::SetUp();
    if (!IsSkipped()) {
      server_.start();
    }
  }
  NatsServer& server() { return server_; }

 private:
  NatsServer server_;
};

TEST_F(NatsLookUps, FindMessagesBySequenceAndBySubject) {
  const sink::Options options = sink_options({server().url()});
  test::create_stream(options);
  {
    test::TestSink sink(options);
    ASSERT_TRUE(sink.connected());
    EXPECT_EQ(sink.fate(sink.publish(message_of("first", 1, 5))), "acknowledged");
    EXPECT_EQ(sink.fate(sink.publish(message_of("second", 6, 5))), "acknowledged");
  }
  Asking asking(options);
  ASSERT_TRUE(asking.connected());
  asking.ask(1, std::uint64_t{1});
  asking.ask(2, std::uint64_t{3});
  asking.ask(3, "meridian.7.3");
  asking.ask(4, "meridian.7.4");
  ASSERT_TRUE(asking.has_all(4));
  EXPECT_THAT(asking.answers(),
              ElementsAre(Pair(1, ElementsAre("first")), Pair(2, ElementsAre("none")),
                          Pair(3, ElementsAre("second")), Pair(4, ElementsAre("none"))));
}

TEST_F(NatsLookUps, TellOfAStreamThatIsNotThere) {
  Asking asking(sink_options({server().url()}));
  ASSERT_TRUE(asking.connected());
  asking.ask(1, std::uint64_t{1});
  ASSERT_TRUE(asking.has_all(1));
  EXPECT_THAT(asking.answers(), ElementsAre(Pair(1, ElementsAre("stream_missing"))));
}

TEST_F(NatsLookUps, WithoutASessionAreRefusedAtOnce) {
  const auto nobody = test::BoundSocket::reserved_port();
  Asking asking(sink_options({"nats://" + nobody.address()}));
  asking.ask(1, std::uint64_t{1});
  ASSERT_TRUE(asking.has_all(1));
  EXPECT_THAT(asking.answers(), ElementsAre(Pair(1, ElementsAre("unreachable"))));
}

/// A stream that is asked for more than may be on their way, and does not answer at first.
class ManyLookUps : public test::NatsTest {
 protected:
  static constexpr std::size_t questions = 2 * sink::jetstream::LookUps::most_at_once + 10;

  void SetUp() override {
    NatsTest::SetUp();
    if (IsSkipped()) {
      return;
    }
    server_.start();
    stream_.emplace(server_.url(), [](const PublishedMessage&) { return std::nullopt; });
    stream_->set_stored([](const std::string&) { return std::nullopt; });
    asking_.emplace(sink_options({server_.url()}));
    ASSERT_TRUE(asking_->connected());
    for (std::size_t i = 0; i < questions; ++i) {
      asking_->ask(i, fmt::format("meridian.{}.0", i));
    }
    ASSERT_TRUE(eventually(
        [&] { return stream_->asked().size() >= sink::jetstream::LookUps::most_at_once; }));
    EXPECT_EQ(stream_->asked().size(), sink::jetstream::LookUps::most_at_once);
  }

  void expect_one_answer_each() {
    ASSERT_TRUE(asking_->has_all(questions));
    EXPECT_THAT(asking_->answers(), Each(Pair(testing::_, testing::SizeIs(1))));
  }

  [[nodiscard]] std::map<std::string, std::size_t> counts() {
    std::map<std::string, std::size_t> counts;
    for (const auto& [ticket, answers] : asking_->answers()) {
      ++counts[answers.front()];
    }
    return counts;
  }

  NatsServer server_{{.jet_stream = false}};
  std::optional<FakeStream> stream_;
  std::optional<Asking> asking_;
};

TEST_F(ManyLookUps, RunTogetherWithinABoundAndAreAnswered) {
  stream_->set_stored([](const std::string&) {
    return R"({"error":{"code":404,"err_code":10037,"description":"no message found"}})";
  });
  expect_one_answer_each();
  EXPECT_THAT(counts(),
              ElementsAre(Pair("no_acknowledgement", sink::jetstream::LookUps::most_at_once),
                          Pair("none", questions - sink::jetstream::LookUps::most_at_once)));
}

TEST_F(ManyLookUps, AreRefusedWhereTheSessionIsLost) {
  server_.kill();
  expect_one_answer_each();
  EXPECT_THAT(counts(), ElementsAre(Pair("unreachable", questions)));
}

TEST_F(ManyLookUps, HoldUpNoEnd) {
  const auto since = std::chrono::steady_clock::now();
  asking_.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - since, test::at_most(std::chrono::seconds(2)));
}

}  // namespace
}  // namespace meridian::test
