// The stream that a sink publishes into, as real servers have it.
#include "integration/harness/fake_stream.hpp"
#include "integration/harness/nats_server.hpp"
#include "integration/harness/test_sink.hpp"
#include "sink/jetstream/headers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <utility>

namespace meridian::test {
namespace {

using nats::Refusal;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using namespace std::chrono_literals;

class NatsStream : public test::NatsTest {
 protected:
  void start(NatsConfig config = {}) {
    server_ = std::make_unique<NatsServer>(std::move(config));
    server_->start();
    options_ = sink_options({server_->url()});
  }

  [[nodiscard]] nats::Result<sink::jetstream::StreamReport> check() {
    return sink::jetstream::check_stream(*connect(options_), options_);
  }
  [[nodiscard]] nats::Result<sink::jetstream::CreatedStream> create(
      const sink::jetstream::StreamWish& wish) {
    return sink::jetstream::create_stream(*connect(options_), options_, wish);
  }

  NatsServer& server() { return *server_; }
  sink::Options& options() { return options_; }

 private:
  std::unique_ptr<NatsServer> server_;
  sink::Options options_;
};

TEST_F(NatsStream, ThatIsMissingIsNamed) {
  start();
  EXPECT_EQ(check().error().refusal, Refusal::stream_missing);
}

TEST_F(NatsStream, ThatAcknowledgesBeforeWritingIsUnsafe) {
  start({.jet_stream = false});
  for (const std::string mode : {"async", "default"}) {
    const FakeStream stream(
        server().url(), [](const test::PublishedMessage&) { return std::nullopt; },
        R"("persist_mode":")" + mode + '"');
    const auto report = check();
    ASSERT_TRUE(report.has_value()) << report.error().text;
    EXPECT_EQ(report->settings.writes_first, mode != "async");
    EXPECT_EQ(report->unsafe.empty(), mode != "async");
  }
}

TEST_F(NatsStream, WithoutJetStreamIsNamed) {
  start({.jet_stream = false});
  EXPECT_EQ(check().error().refusal, Refusal::not_enabled);
  EXPECT_EQ(create({.replicas = 1}).error().refusal, Refusal::not_enabled);
}

TEST_F(NatsStream, OfAnAccountWithoutJetStreamIsNamed) {
  start({.lines = "accounts { plain { users: [ { user: alice, password: sesame } ] } }\n"});
  options().jetstream.servers = {server().url("alice:sesame")};
  EXPECT_EQ(check().error().refusal, Refusal::not_enabled);
}

TEST_F(NatsStream, WithOtherSubjectsIsNamedWithThem) {
  start();
  add_stream(options(), "TELEMETRY", "meridian.7.*");
  const auto report = check();
  EXPECT_EQ(report.error().refusal, Refusal::subject_not_in_stream);
  EXPECT_THAT(report.error().text, HasSubstr("meridian.7.*"));
  EXPECT_THAT(report.error().text, HasSubstr("meridian.*.*"));
}

TEST_F(NatsStream, WhoseServerIsUnresponsiveIsSoonAnError) {
  start();
  create_stream(options());
  const auto session = connect(options());
  server().halt();
  const auto since = std::chrono::steady_clock::now();
  EXPECT_EQ(sink::jetstream::check_stream(*session, options()).error().refusal,
            Refusal::no_acknowledgement);
  EXPECT_LT(std::chrono::steady_clock::now() - since, 2 * sink::jetstream::stream_timeout);
  server().resume();
}

TEST_F(NatsStream, OfASessionThatIsLostIsUnreachable) {
  start();
  const auto session = connect(options());
  server().kill();
  ASSERT_TRUE(test::eventually([&] { return session->inbox()->lost().has_value(); }));
  EXPECT_EQ(sink::jetstream::check_stream(*session, options()).error().refusal,
            Refusal::unreachable);
}

TEST_F(NatsStream, ThatIsCreatedIsAsRequested) {
  start();
  const auto created =
      create({.replicas = 1, .duplicate_window = 300s, .max_bytes = 1'000'000, .max_age = 24h});
  ASSERT_TRUE(created.has_value()) << created.error().text;
  EXPECT_FALSE(created->existed);
  const auto report = check();
  ASSERT_TRUE(report.has_value()) << report.error().text;
  const sink::jetstream::StreamSettings& settings = report->settings;
  EXPECT_EQ(settings, created->report.settings);
  EXPECT_THAT(settings.subjects, ElementsAre("meridian.*.*"));
  EXPECT_EQ(settings.replicas, 1U);
  EXPECT_EQ(settings.storage, sink::jetstream::Storage::file);
  EXPECT_EQ(settings.discard, sink::jetstream::Discard::newest);
  EXPECT_EQ(settings.retention, sink::jetstream::Retention::limits);
  EXPECT_EQ(settings.duplicate_window, 300s);
  EXPECT_EQ(settings.max_bytes, 1'000'000U);
  EXPECT_EQ(settings.max_age, 24h);
  EXPECT_EQ(settings.max_messages, std::nullopt);
  EXPECT_EQ(settings.max_message_bytes, std::nullopt);
  EXPECT_TRUE(settings.acknowledges);
  EXPECT_THAT(report->unsafe, ElementsAre(HasSubstr("1 replica(s)")));
}

TEST_F(NatsStream, ThatExistsIsComparedAndNotChanged) {
  start();
  ASSERT_TRUE(create({.replicas = 1}).has_value());
  const auto same = create({.replicas = 1});
  EXPECT_TRUE(same->existed);
  EXPECT_THAT(same->differences, IsEmpty());
  const auto other = create({.replicas = 3, .duplicate_window = 600s});
  EXPECT_TRUE(other->existed);
  EXPECT_THAT(other->differences,
              ElementsAre("replicas: 1, asked for 3", "duplicate window: 120 s, asked for 600 s"));
  EXPECT_EQ(check()->settings.replicas, 1U);
}

TEST_F(NatsStream, WithMoreReplicasThanServersIsNotCreated) {
  start();
  const auto created = create({.replicas = 3});
  ASSERT_FALSE(created.has_value());
  EXPECT_THAT(created.error().text, HasSubstr("replicas"));
}

TEST_F(NatsStream, WhoseSubjectsAreAnothersIsNotCreated) {
  start();
  add_stream(options(), "ANOTHER", "meridian.>");
  const auto created = create({.replicas = 1});
  ASSERT_FALSE(created.has_value());
  EXPECT_EQ(created.error().refusal, Refusal::subject_not_in_stream);
  EXPECT_THAT(created.error().text, HasSubstr("overlap"));
}

TEST_F(NatsStream, SaysWhatIsUnsafeAboutIt) {
  start();
  add_stream(options(), "TELEMETRY", "meridian.>", [](jsStreamConfig& config) {
    config.Storage = js_MemoryStorage;
    config.Discard = js_DiscardOld;
    config.MaxMsgs = 10;
    config.Retention = js_InterestPolicy;
    config.Duplicates = std::chrono::nanoseconds(30s).count();
    config.MaxMsgSize = 10'000;
    config.NoAck = true;
  });
  EXPECT_THAT(check()->unsafe,
              ElementsAre(HasSubstr("replica"), HasSubstr("memory"), HasSubstr("window is 30 s"),
                          HasSubstr("discards the oldest"), HasSubstr("consumer"),
                          HasSubstr("no acknowledgements"), HasSubstr("batch_max_bytes")));
}

TEST_F(NatsStream, TakesThePayloadSizeThatItAnnounces) {
  start({.lines = "max_payload: 20000\n"});
  options().batch_max_bytes = 30'000;
  create_stream(options());
  const auto report = check();
  EXPECT_EQ(report->max_payload_bytes, 20'000U - sink::jetstream::max_header_bytes);
  EXPECT_THAT(report->unsafe, Contains(HasSubstr("batch_max_bytes is 30000")));
  TestSink sink(options());
  ASSERT_TRUE(sink.connected());
  const std::size_t payload = report->max_payload_bytes - frame_header_bytes;
  EXPECT_EQ(sink.fate(sink.publish(message_of("fits", 1, 1, payload))), "acknowledged");
}

TEST_F(NatsStream, InAClusterIsSafeWithALeader) {
  const test::NatsCluster cluster;
  options() = sink_options(cluster.urls());
  const auto created = create({});
  ASSERT_TRUE(created.has_value()) << created.error().text;
  EXPECT_THAT(created->report.unsafe, IsEmpty());
  const auto report = check();
  ASSERT_TRUE(report.has_value()) << report.error().text;
  EXPECT_EQ(report->settings.replicas, 3U);
  EXPECT_EQ(report->leader, cluster.leader_of("TELEMETRY"));
}

}  // namespace
}  // namespace meridian::test
