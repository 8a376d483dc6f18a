// Servers and streams that do not take what a sink publishes: it says why and counts it, the frames
// stay, and when it is put right they arrive.
#include "integration/harness/sinks.hpp"
#include "sink/nats_handles.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include <nats/nats.h>

namespace meridian {
namespace {

using testing::add_stream;
using testing::create_stream;
using testing::eventually;
using testing::expect_whole;
using testing::frames_of;
using ::testing::HasSubstr;
using testing::Json;
using testing::NatsConfig;
using testing::NatsServer;
using ::testing::Not;
using testing::read_back;
using testing::send_whole;
using testing::sink_into;
using testing::sink_options;

/// Changes the stream of a sink as its owner would.
void change_stream(const std::string& url, const std::function<void(jsStreamConfig&)>& change) {
  const auto session = testing::connect(sink_options({url}));
  jsCtx* context = nullptr;
  natsConnection_JetStream(&context, session->native(), nullptr);
  const sink::JetStreamHandle owner(context);
  jsStreamInfo* info = nullptr;
  natsStatus status = js_GetStreamInfo(&info, context, "TELEMETRY", nullptr, nullptr);
  const sink::StreamInfoHandle info_owner(info);
  if (status == NATS_OK) {
    jsStreamConfig config = *info->Config;
    change(config);
    status = js_UpdateStream(nullptr, context, &config, nullptr, nullptr);
  }
  if (status != NATS_OK) {
    throw std::runtime_error(nats_GetLastError(nullptr));
  }
}

class SinkRefused : public testing::SinkTest {
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
  change_stream(url(), [&](jsStreamConfig& config) { config.Subjects = &subjects; });
  expect_all_to_arrive();
}

TEST_F(SinkRefused, WaitsForAServerThatTakesMessagesOfItsSize) {
  start_server({.lines = "max_payload: 4096\n"});
  create_stream(sink_options({url()}));
  ASSERT_NO_FATAL_FAILURE(expect_refused("message_too_large", 8'192));
  EXPECT_EQ(delivered(), 0U);
  server().stop();
  server().configure("max_payload: 1048576\n");
  server().start();
  expect_all_to_arrive();
}

TEST_F(SinkRefused, WaitsForAStreamThatTakesMessagesOfItsSize) {
  start_server();
  add_stream(sink_options({url()}), "TELEMETRY", "meridian.*.*",
             [](jsStreamConfig& config) { config.MaxMsgSize = 4'096; });
  ASSERT_NO_FATAL_FAILURE(expect_refused("message_too_large", 8'192));
  EXPECT_EQ(delivered(), 0U);
  change_stream(url(), [](jsStreamConfig& config) { config.MaxMsgSize = -1; });
  expect_all_to_arrive();
}

TEST_F(SinkRefused, WaitsForRoomInItsStream) {
  start_server();
  add_stream(sink_options({url()}), "TELEMETRY", "meridian.*.*", [](jsStreamConfig& config) {
    config.MaxBytes = 1;
    config.Discard = js_DiscardNew;
  });
  ASSERT_NO_FATAL_FAILURE(expect_refused("stream_full"));
  change_stream(url(), [](jsStreamConfig& config) { config.MaxBytes = -1; });
  expect_all_to_arrive();
}

TEST_F(SinkRefused, IsToldWhereItsStreamIsRemoved) {
  start_server();
  create_stream(sink_options({url()}));
  start_sinks({sink_into({url()})});
  ASSERT_TRUE(comes_to_say(""));
  {
    const auto session = testing::connect(sink_options({url()}));
    jsCtx* context = nullptr;
    natsConnection_JetStream(&context, session->native(), nullptr);
    const sink::JetStreamHandle owner(context);
    ASSERT_EQ(js_DeleteStream(context, "TELEMETRY", nullptr, nullptr), NATS_OK);
  }
  send_whole(daemon().port(), frames_of(7, 0, frames));
  ASSERT_TRUE(comes_to_say("stream_missing")) << sink();
  EXPECT_EQ(delivered(), 0U);
  create_stream(sink_options({url()}));
  expect_all_to_arrive();
}

}  // namespace
}  // namespace meridian
