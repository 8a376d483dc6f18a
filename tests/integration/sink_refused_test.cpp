// Servers and streams that do not take what a sink publishes: it says why and counts it, the frames
// stay, and when it is put right they arrive.
#include "integration/harness/sinks.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nats/nats.h>

namespace meridian::test {
namespace {

using testing::ElementsAre;
using testing::Ge;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

class SinkRefused : public test::SinkTest {
 protected:
  NatsServer& make_server(NatsConfig config = {}) {
    server_ = std::make_unique<NatsServer>(std::move(config));
    return *server_;
  }
  NatsServer& start_server(NatsConfig config = {}) {
    make_server(std::move(config)).start();
    return *server_;
  }
  NatsServer& server() { return *server_; }
  [[nodiscard]] std::string url() const { return server_->url(user_); }
  void set_user(const std::string& user) { user_ = user; }

  static constexpr std::uint64_t frames = 500;

  /// Sends frames, which are not taken for this reason.
  void expect_refused(const std::string& reason, std::size_t payload_bytes = 20) {
    start_sinks({sink_into({url()})});
    send_whole(daemon().port(), frames_of(7, 0, frames, payload_bytes));
    ASSERT_TRUE(eventually([&] { return figure("/refused/" + reason) > 0; })) << sink();
    ASSERT_TRUE(comes_to_say(reason)) << sink();
    const Json refused = sink();
    EXPECT_NE(refused.at("problem").at("message"), "");
    EXPECT_THAT(refused.at("problem").at("message"), Not(HasSubstr("secret")));
    EXPECT_EQ(refused.at("lag").at("frames"), frames - delivered());
    EXPECT_EQ(received(), frames);
    const Json by_reason = ledger().at("dropped");
    for (const auto& [why, dropped] : by_reason.items()) {
      EXPECT_EQ(dropped, 0) << why;
    }
  }

  /// Now that it is put right.
  void expect_all_to_arrive() {
    EXPECT_TRUE(comes_to_deliver(frames)) << sink();
    EXPECT_TRUE(comes_to_say("")) << sink();
    expect_whole(read_back({url()}, frames), frames);
  }

 private:
  std::unique_ptr<NatsServer> server_;
  std::string user_;
};

TEST_F(SinkRefused, WaitsForAServer) {
  make_server();
  ASSERT_NO_FATAL_FAILURE(expect_refused("unreachable"));
  EXPECT_EQ(sink().at("server"), Json(nullptr));
  server().start();
  create_stream(sink_options({url()}));
  expect_all_to_arrive();
  EXPECT_EQ(sink().at("server"), url());
}

TEST_F(SinkRefused, WaitsToBeLetIn) {
  start_server({.lines = "authorization { user: archive, password: other }\n"});
  set_user("archive:secret");
  ASSERT_NO_FATAL_FAILURE(expect_refused("authorization"));
  server().stop();
  server().configure("authorization { user: archive, password: secret }\n");
  server().start();
  create_stream(sink_options({url()}));
  expect_all_to_arrive();
}

TEST_F(SinkRefused, WaitsForJetStream) {
  NatsServer& plain = start_server({.jet_stream = false});
  ASSERT_NO_FATAL_FAILURE(expect_refused("not_enabled"));
  plain.stop();
  plain.configure("jetstream { store_dir: \"" + plain.directory().file("store") + "\" }\n");
  plain.start();
  create_stream(sink_options({url()}));
  expect_all_to_arrive();
}

TEST_F(SinkRefused, WaitsForItsStream) {
  start_server();
  ASSERT_NO_FATAL_FAILURE(expect_refused("stream_missing"));
  EXPECT_EQ(sink().at("server"), url()) << "there is a server";
  create_stream(sink_options({url()}));
  expect_all_to_arrive();
}

TEST_F(SinkRefused, WaitsForAStreamWithItsSubjects) {
  start_server();
  add_stream(sink_options({url()}), "TELEMETRY", "elsewhere.*.*");
  ASSERT_NO_FATAL_FAILURE(expect_refused("subject_not_in_stream"));
  const char* subjects = "meridian.*.*";
  change_stream(sink_options({url()}),
                [&](jsStreamConfig& config) { config.Subjects = &subjects; });
  expect_all_to_arrive();
}

TEST_F(SinkRefused, WaitsForAServerThatTakesItsMessages) {
  start_server({.lines = "max_payload: 4096\n"});
  create_stream(sink_options({url()}));
  ASSERT_NO_FATAL_FAILURE(expect_refused("message_too_large", 8'192));
  EXPECT_EQ(delivered(), 0U);
  server().stop();
  server().configure("max_payload: 1048576\n");
  server().start();
  expect_all_to_arrive();
}

TEST_F(SinkRefused, WaitsForAStreamThatTakesItsMessages) {
  start_server();
  add_stream(sink_options({url()}), "TELEMETRY", "meridian.*.*",
             [](jsStreamConfig& config) { config.MaxMsgSize = 4'096; });
  ASSERT_NO_FATAL_FAILURE(expect_refused("message_too_large", 8'192));
  EXPECT_EQ(delivered(), 0U);
  change_stream(sink_options({url()}), [](jsStreamConfig& config) { config.MaxMsgSize = -1; });
  expect_all_to_arrive();
}

TEST_F(SinkRefused, WaitsForRoomInItsStream) {
  start_server();
  add_stream(sink_options({url()}), "TELEMETRY", "meridian.*.*", [](jsStreamConfig& config) {
    config.MaxBytes = 1;
    config.Discard = js_DiscardNew;
  });
  ASSERT_NO_FATAL_FAILURE(expect_refused("stream_full"));
  change_stream(sink_options({url()}), [](jsStreamConfig& config) { config.MaxBytes = -1; });
  expect_all_to_arrive();
}

TEST_F(SinkRefused, IsToldWhereItsStreamIsRemoved) {
  start_server();
  create_stream(sink_options({url()}));
  start_sinks({sink_into({url()})});
  ASSERT_TRUE(comes_to_say(""));
  {
    const auto session = test::connect(sink_options({url()}));
    jsCtx* context = nullptr;
    natsConnection_JetStream(&context, session->native(), nullptr);
    const nats::JetStreamHandle owner(context);
    ASSERT_EQ(js_DeleteStream(context, "TELEMETRY", nullptr, nullptr), NATS_OK);
  }
  send_whole(daemon().port(), frames_of(7, 0, frames));
  ASSERT_TRUE(comes_to_say("stream_missing")) << sink();
  EXPECT_EQ(delivered(), 0U);
  create_stream(sink_options({url()}));
  expect_all_to_arrive();
}

/// A satellite has a frame that the stream does not take, and another one none.
class SinkBesideALargeFrame : public test::SinkTest {
 protected:
  void start_with_limit(std::int32_t max_message_octets) {
    server_.emplace();
    server_->start();
    add_stream(sink_options({server_->url()}), "TELEMETRY", "meridian.*.*",
               [&](jsStreamConfig& config) { config.MaxMsgSize = max_message_octets; });
    start_sinks({sink_into({server_->url()})});
    ASSERT_TRUE(comes_to_say("")) << "it knows the limit";
  }

  void set_limit(std::int32_t max_message_octets) {
    change_stream(sink_options({server_->url()}),
                  [&](jsStreamConfig& config) { config.MaxMsgSize = max_message_octets; });
  }

  void send_large() {
    std::vector<test::NativeFrame> frames = frames_of(7, 0, stuck);
    frames.at(stuck / 2).payload.assign(8'192, 'x');
    UplinkClient uplink(daemon().port());
    send_as_batch(uplink, frames);
    uplink.finish();
    ASSERT_TRUE(comes_to_say("message_too_large")) << sink();
  }

  /// The frames of the other one arrive until the large one has waited for so long, and the sink
  /// goes on saying why it waits.
  void expect_to_be_told_while_others_flow(double seconds) {
    std::map<std::string, std::uint64_t> told;
    UplinkClient uplink(daemon().port());
    Json now = sink();
    while (now.at("lag").at("seconds") < seconds) {
      uplink.send(frames_of(8, std::exchange(flowed_, flowed_ + 10), 10));
      ASSERT_TRUE(eventually([&] {
        now = sink();
        ++told[now.at("problem").is_null() ? "" : now.at("problem").at("reason")];
        return now.at("acknowledged").at("frames") >= flowed_;
      })) << now;
    }
    uplink.finish();
    EXPECT_THAT(told, ElementsAre(Pair("message_too_large", Ge(20U))));
    EXPECT_EQ(ledger().at("buffered"), stuck);
  }

  void expect_all_once() {
    EXPECT_TRUE(comes_to_deliver(flowed_ + stuck)) << sink();
    EXPECT_TRUE(comes_to_say("")) << sink();
    expect_whole(read_back({server_->url()}, flowed_ + stuck), flowed_ + stuck);
  }

 private:
  static constexpr std::uint64_t stuck = 11;  // with those before the large one and behind it

  std::optional<NatsServer> server_;
  std::uint64_t flowed_ = 0;
};

TEST_F(SinkBesideALargeFrame, SaysSoWhileOthersFlowAndKnocksSeldom) {
  ASSERT_NO_FATAL_FAILURE(start_with_limit(4'096));
  ASSERT_NO_FATAL_FAILURE(send_large());
  ASSERT_NO_FATAL_FAILURE(expect_to_be_told_while_others_flow(4));
  // The shortest pauses together: six are 3 s, seven are 6 s, and then each is 5 s.
  EXPECT_GE(figure("/refused/message_too_large"), 2U);
  EXPECT_LT(figure("/refused/message_too_large"), 12U);
  set_limit(-1);
  expect_all_once();
}

TEST_F(SinkBesideALargeFrame, SaysSoWhileItsMessageIsDivided) {
  ASSERT_NO_FATAL_FAILURE(start_with_limit(-1));
  set_limit(4'096);
  ASSERT_NO_FATAL_FAILURE(send_large());
  ASSERT_NO_FATAL_FAILURE(expect_to_be_told_while_others_flow(1));
  set_limit(-1);
  expect_all_once();
}

}  // namespace
}  // namespace meridian::test
