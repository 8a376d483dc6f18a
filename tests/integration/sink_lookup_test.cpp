// What a sink does where it cannot know by itself whether a message is stored, or whose frames they
// still are: each frame is in the stream once.
#include "integration/harness/child_process.hpp"
#include "integration/harness/nats_server.hpp"
#include "integration/harness/relay.hpp"
#include "integration/harness/sinks.hpp"
#include "sink/jetstream/sink.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nats/nats.h>

namespace meridian::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::Ge;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;
using testing::StartsWith;

using namespace std::chrono_literals;

constexpr std::uint64_t frame_octets = 40;
constexpr std::size_t payload_octets = frame_octets - test::native_header_bytes;

constexpr const char* owner = "owner:secret";
constexpr const char* archive = "archive:secret";

/// Both users, of which the archive's may not publish to `denied`.
std::string two_users(std::string_view denied = "nothing") {
  return fmt::format(
      "authorization {{ users: [\n"
      "  {{ user: owner, password: secret }}\n"
      "  {{ user: archive, password: secret, permissions: {{ publish: {{ deny: \"{}\" }} }} }}\n"
      "] }}\n",
      denied);
}

/// A server with a stream, and a relay to it.
class SinkThroughRelay : public test::SinkTest {
 protected:
  void start_server(std::chrono::nanoseconds duplicate_window, const std::string& lines) {
    server_.emplace();
    server_->configure(lines);
    server_->start();
    add_stream(sink_options({owner_url()}), "TELEMETRY", "meridian.*.*",
               [&](jsStreamConfig& config) { config.Duplicates = duplicate_window.count(); });
    relay_.emplace(server_->port());
  }

  NatsServer& server() { return *server_; }
  Relay& relay() { return *relay_; }
  [[nodiscard]] std::string owner_url() const { return server_->url(owner); }

  void start_next(const Json& changes = Json::object()) {
    std::string url = relay().url();
    url.insert(url.find("//") + 2, fmt::format("{}@", archive));
    start_sinks({sink_into({url}, changes)});
    ASSERT_TRUE(comes_to_say("")) << sink();
  }

  /// How many messages the stream has.
  [[nodiscard]] std::uint64_t stored() const {
    const Json answer = server_->monitor("/jsz");
    return answer.is_object() ? answer.value("messages", std::uint64_t{0}) : 0;
  }

  /// Waits until the server has acknowledged messages, and the daemon will not hear of it.
  [[nodiscard]] bool leaves_unheard_of(std::size_t messages) {
    return eventually([&] { return relay().swallowed(R"("stream":"TELEMETRY")") >= messages; });
  }

  [[nodiscard]] double lag_seconds() { return sink().at("lag").at("seconds"); }

 private:
  std::optional<NatsServer> server_;
  std::optional<Relay> relay_;
};

/// Into a stream that knows message ids for a second, so that it has forgotten those of messages
/// that were tried before.
class SinkLookup : public SinkThroughRelay {
 protected:
  void SetUp() override {
    SinkThroughRelay::SetUp();
    if (IsSkipped()) {
      return;
    }
    start_server(window, two_users());
  }

  void start_next() {
    SinkThroughRelay::start_next({{"batch_max_bytes", 4'096}, {"max_in_flight_bytes", 65'536}});
  }

  /// Frames of each of some satellites.
  void send(std::uint32_t first_satellite, std::uint32_t last_satellite, std::uint64_t sequence,
            std::uint64_t frames) {
    for (std::uint32_t satellite = first_satellite; satellite <= last_satellite; ++satellite) {
      send_whole(daemon().port(), frames_of(satellite, sequence, frames, payload_octets));
    }
  }

  /// Waits until the server knows no id of what it has: it looks for old ones once in a window.
  [[nodiscard]] bool comes_to_forget() {
    const double before = lag_seconds();
    constexpr double enough = 3.0 * std::chrono::duration<double>(window).count();
    return eventually([&] { return lag_seconds() > before + enough; });
  }

  /// 500 frames of each of 6 satellites, of which the first messages are stored, and neither the
  /// sink nor the server knows.
  void store_what_is_forgotten() {
    start_next();
    relay().swallow_answers();
    send(1, 6, 0, 500);
    ASSERT_TRUE(leaves_unheard_of(6)) << "one of each satellite";
    ASSERT_TRUE(comes_to_forget()) << sink();
    EXPECT_EQ(stored(), 6U);
  }

  /// That so many frames are in the stream once, of which so many messages were only found there.
  void expect_all_once(std::uint64_t frames, std::uint64_t found) {
    EXPECT_TRUE(comes_to_deliver(frames)) << sink();
    EXPECT_TRUE(comes_to_say("")) << sink();
    EXPECT_EQ(figure("/acknowledged/duplicates"), found);
    expect_whole(read_back({owner_url()}, frames), frames);
  }

 private:
  static constexpr std::chrono::seconds window{1};
};

TEST_F(SinkLookup, FindsMessagesOlderThanTheDuplicateWindow) {
  ASSERT_NO_FATAL_FAILURE(store_what_is_forgotten());
  EXPECT_EQ(delivered(), 0U);
  relay().pass_answers();
  expect_all_once(6 * 500, 6);
  EXPECT_EQ(figure("/acknowledged/messages"), stored());
}

TEST_F(SinkLookup, FindsWhatADaemonBeforeItHasStored) {
  ASSERT_NO_FATAL_FAILURE(store_what_is_forgotten());
  stop();
  relay().pass_answers();
  SinkThroughRelay::start_next();  // which would make larger messages of them
  expect_all_once(6 * 500, 6);
}

TEST_F(SinkLookup, TellsWhatIsStoredFromWhatIsNot) {
  start_next();
  send(1, 4, 0, 100);
  ASSERT_TRUE(comes_to_deliver(4 * 100)) << sink();
  const std::uint64_t before = stored();
  relay().swallow_answers();
  send(1, 2, 100, 500);
  ASSERT_TRUE(leaves_unheard_of(2));
  server().halt();
  send(3, 4, 100, 500);
  ASSERT_TRUE(eventually([&] { return figure("/in_flight/messages") == 4; })) << sink();
  server().kill();  // with what it has not read
  server().start();
  ASSERT_EQ(stored(), before + 2);
  ASSERT_TRUE(comes_to_forget()) << sink();
  relay().pass_answers();
  expect_all_once(4 * 600, 2);
}

/// Far from the server.
class SinkLookupFarAway : public SinkThroughRelay {};

TEST_F(SinkLookupFarAway, ManySatellitesNeedFewRoundTrips) {
  constexpr std::uint32_t satellites = 500;
  constexpr auto one_way = 50ms;
  start_server(120s, two_users());
  start_next();
  relay().swallow_answers();
  {
    UplinkClient uplink(daemon().port());
    for (std::uint32_t satellite = 1; satellite <= satellites; ++satellite) {
      uplink.send(frames_of(satellite, 0, 1));
    }
    uplink.finish();
  }
  ASSERT_TRUE(leaves_unheard_of(satellites));
  stop();
  relay().pass_answers();
  relay().set_delay(one_way);
  start_next();
  // One after the other they would take 50 s.
  EXPECT_TRUE(eventually([&] { return delivered() == satellites; }, test::at_most(8s))) << sink();
  EXPECT_EQ(figure("/acknowledged/duplicates"), satellites);
  relay().set_delay(0ms);
  expect_whole(read_back({owner_url()}, satellites), satellites);
}

constexpr const char* look_up = "$JS.API.STREAM.MSG.GET.TELEMETRY";

/// Messages that may have been stored wait to be looked for, which the sink may not do.
class SinkLookupDenied : public SinkLookup {
 protected:
  static constexpr std::uint32_t satellites = 50;
  static constexpr std::uint64_t frames = std::uint64_t{satellites} * 20;

  void start_denied() {
    server().stop();
    server().configure(two_users(look_up));
    server().start();
    start_next();
    relay().swallow_answers();
    send(1, satellites, 0, frames / satellites);
    ASSERT_TRUE(leaves_unheard_of(satellites));
    ASSERT_TRUE(comes_to_forget()) << sink();
    relay().pass_answers();
    ASSERT_TRUE(comes_to_say("authorization")) << sink();
    EXPECT_THAT(sink().at("problem").at("message"),
                AllOf(HasSubstr(fmt::format("\"{}\"", look_up)), Not(HasSubstr("secret"))));
  }

  /// How often the sink has begun to ask.
  [[nodiscard]] std::uint64_t questions() {
    const std::string log = server().log();
    std::uint64_t count = 0;
    for (std::size_t at = log.find(look_up); at != std::string::npos;
         at = log.find(look_up, at + 1)) {
      ++count;
    }
    return count;
  }

  void expect_nothing_lost() {
    const Json now = ledger();
    EXPECT_EQ(now.at("received"), frames);
    EXPECT_EQ(now.at("buffered"), frames);
    EXPECT_EQ(stored(), satellites);
  }

  void allow() {
    server().stop();
    server().configure(two_users());
    server().start();
  }
};

TEST_F(SinkLookupDenied, IsReportedUntilAllowedAndLosesNothing) {
  ASSERT_NO_FATAL_FAILURE(start_denied());
  std::map<std::string, std::uint64_t> told;
  // All messages are looked for side by side, and each is refused once each time.
  const std::uint64_t once_more = figure("/refused/authorization") + satellites;
  ASSERT_TRUE(eventually(
      [&] {
        const Json now = sink();
        ++told[now.at("problem").is_null() ? "" : now.at("problem").at("reason")];
        return now.at("refused").at("authorization") >= once_more;
      },
      patience_for_delivery));
  EXPECT_THAT(told, ElementsAre(Pair("authorization", Ge(20U))));
  expect_nothing_lost();
  allow();
  expect_all_once(frames, satellites);
}

TEST_F(SinkLookupDenied, HoldsUpNoStop) {
  ASSERT_NO_FATAL_FAILURE(start_denied());
  expect_nothing_lost();
  const std::uint64_t asked = questions();
  ASSERT_TRUE(eventually([&] { return questions() > asked; }, patience_for_delivery))
      << "it waits for an answer";
  const auto begun = std::chrono::steady_clock::now();
  stop();
  EXPECT_LT(
      std::chrono::steady_clock::now() - begun,
      test::at_most(sink::jetstream::stream_timeout + sink::jetstream::Sink::farewell + 500ms));
  allow();
  start_next();
  expect_all_once(frames, satellites);
}

class SinkCreateDenied : public test::NatsTest, public testing::WithParamInterface<const char*> {};

TEST_P(SinkCreateDenied, NamesWhatTheUserMayNotPublishTo) {
  NatsServer server;
  server.configure(two_users(GetParam()));
  server.start();
  const TempDir directory;
  const Json config = {{"sinks", {sink_into({server.url(archive)})}},
                       {"buffer", {{"when_full", "backpressure"}}}};
  const std::vector<std::string> create = {test::meridianctl,
                                           "sink",
                                           "create",
                                           "--config",
                                           directory.write("meridiand.json", config.dump()),
                                           "--replicas",
                                           "1"};
  const Finished denied = test::run(create);
  EXPECT_EQ(denied.status, 1);
  EXPECT_EQ(denied.out, "");
  EXPECT_THAT(denied.err,
              AllOf(StartsWith("meridianctl: sink archive: authorization: "),
                    HasSubstr(fmt::format("\"{}\"", GetParam())), Not(HasSubstr("secret"))));
  EXPECT_EQ(server.monitor("/jsz").at("streams"), 0);
  server.stop();
  server.configure(two_users());
  server.start();
  const Finished allowed = test::run(create);
  EXPECT_EQ(allowed.status, 0) << allowed.err;
}

INSTANTIATE_TEST_SUITE_P(Requests, SinkCreateDenied,
                         testing::Values("$JS.API.STREAM.INFO.TELEMETRY",
                                         "$JS.API.STREAM.CREATE.TELEMETRY"),
                         [](const auto& request) {
                           return std::string(request.index == 0 ? "Info" : "Create");
                         });

/// What others take is on its way: of each satellite a message has no answer yet, and the rest of
/// its frames wait behind it.
class SinkBesideLeases : public SinkThroughRelay {
 protected:
  static constexpr std::uint32_t satellites = 4;
  static constexpr std::uint64_t each = 100;
  static constexpr std::uint64_t frames = satellites * each;
  static constexpr std::uint64_t leased = each + each / 2;  // with a part of a batch

  void SetUp() override {
    SinkThroughRelay::SetUp();
    if (IsSkipped()) {
      return;
    }
    start_server(120s, two_users());
    start_small();
    relay().swallow_answers();
    for (std::uint32_t satellite = 1; satellite <= satellites; ++satellite) {
      UplinkClient uplink(daemon().port());
      send_as_batch(uplink, frames_of(satellite, 0, each, payload_octets));
      uplink.finish();
    }
    ASSERT_TRUE(leaves_unheard_of(satellites));
    EXPECT_EQ(figure("/in_flight/messages"), satellites);
    client_.emplace(daemon().connect());
    const Json reply = client_->call("drain", {{"lease_s", 600}, {"max_frames", leased}});
    EXPECT_EQ(reply.at("frames").size(), leased);
    lease_ = reply.at("lease");
    EXPECT_EQ(ledger().at("leased"), leased);
  }

  void start_small() { start_next({{"batch_max_bytes", 1'024}}); }

  void commit() { EXPECT_EQ(end_lease("commit").at("committed"), leased); }
  void release() { EXPECT_EQ(end_lease("release").at("released"), leased); }

  /// Waits until the sink knows that all of it is stored, while the lease is open.
  void hear_of_all() {
    relay().pass_answers();
    ASSERT_TRUE(eventually([&] { return figure("/lag/frames") == 0; }, patience_for_delivery))
        << sink();
    EXPECT_EQ(ledger().at("leased"), leased);
    EXPECT_EQ(delivered(), frames - leased);
  }

  /// That all is in the stream once, and that so much was drained besides.
  void expect_all_once(std::uint64_t drained) {
    EXPECT_TRUE(eventually([&] { return figure("/lag/frames") == 0; }, patience_for_delivery))
        << sink();
    EXPECT_TRUE(comes_to_deliver(frames - drained)) << sink();
    const Json now = ledger();
    EXPECT_EQ(now.at("drained"), drained);
    EXPECT_EQ(now.at("leased"), 0);
    EXPECT_EQ(figure("/skipped/drained"), 0U) << "all of it had been read";
    EXPECT_EQ(figure("/acknowledged/duplicates"), satellites);
    expect_whole(read_back({owner_url()}, frames), frames);
  }

 private:
  Json end_lease(const std::string& how) { return client_->call(how, {{"lease", lease_}}); }

  std::optional<ControlClient> client_;
  Json lease_;
};

TEST_F(SinkBesideLeases, FramesReleasedBeforeTheAnswerAreStoredOnce) {
  release();
  EXPECT_EQ(ledger().at("buffered"), frames);
  relay().pass_answers();
  expect_all_once(0);
}

TEST_F(SinkBesideLeases, FramesReleasedAfterTheAnswerAreStoredOnce) {
  ASSERT_NO_FATAL_FAILURE(hear_of_all());
  release();
  expect_all_once(0);
}

TEST_F(SinkBesideLeases, FramesCommittedBeforeTheAnswerAreStoredOnce) {
  commit();
  EXPECT_EQ(ledger().at("buffered"), frames - leased);
  relay().pass_answers();
  expect_all_once(leased);
}

TEST_F(SinkBesideLeases, FramesCommittedAfterTheAnswerAreStoredOnce) {
  ASSERT_NO_FATAL_FAILURE(hear_of_all());
  commit();
  expect_all_once(leased);
}

TEST_F(SinkBesideLeases, FramesReturnedAtAStopAreStoredOnce) {
  stop();
  relay().pass_answers();
  start_small();
  expect_all_once(0);
}

}  // namespace
}  // namespace meridian::test
