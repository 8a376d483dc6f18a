// Daemons that stop and start while they publish: the stream has every frame once.
#include "integration/harness/bound_socket.hpp"
#include "integration/harness/relay.hpp"
#include "integration/harness/senders.hpp"
#include "integration/harness/sinks.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace meridian::test {
namespace {

class SinkOverRestarts : public test::SinkTest {
 protected:
  void SetUp() override {
    SinkTest::SetUp();
    if (IsSkipped()) {
      return;
    }
    server_.emplace();
    server_->start();
    create_stream(sink_options({server_->url()}));
    relay_.emplace(server_->port());
  }

  NatsServer& server() { return *server_; }
  Relay& relay() { return *relay_; }

  /// A daemon on a port that stays when it goes. Its messages are small, so that there are many.
  void start_next() {
    start_sinks(
        {sink_into({relay().url()}, {{"batch_max_bytes", 4'096}, {"max_in_flight_bytes", 65'536}})},
        {{"max_frames", 20'000}},
        {{"uplinks", {native_listener({{"listen", port_.address()}})}},
         {"channel", {{"capacity", 4}}}},
        {.sockets = {{"uplink", port_.descriptor()}}});
  }

  [[nodiscard]] std::uint16_t port() const { return port_.port(); }

  /// How many messages the stream has.
  [[nodiscard]] std::uint64_t stored() const {
    const Json answer = server_->monitor("/jsz");
    return answer.is_object() ? answer.value("messages", std::uint64_t{0}) : 0;
  }

  /// Waits until the server has acknowledged messages, and the daemon will not hear of it.
  [[nodiscard]] bool leaves_unheard_of(std::size_t messages) {
    return eventually([&] { return relay().swallowed(R"("stream":"TELEMETRY")") >= messages; });
  }

  [[nodiscard]] bool delivers_more() {
    const std::uint64_t before = delivered();
    return eventually([&] { return delivered() > before; }, patience_for_delivery);
  }

 private:
  BoundSocket port_ = BoundSocket::listening_port();
  std::optional<NatsServer> server_;
  std::optional<Relay> relay_;
};

TEST_F(SinkOverRestarts, NothingIsMissingOrThereTwiceUnderLoad) {
  const int rounds = long_form() ? 40 : 8;
  std::uint64_t duplicates = 0;
  Senders senders(port(), 4);
  start_next();
  for (int round = 0; round < rounds; ++round) {
    SCOPED_TRACE(fmt::format("restart {}", round + 1));
    const std::uint64_t counted = received();
    switch (round % 4) {
      case 0:  // messages are on their way
        ASSERT_TRUE(delivers_more()) << sink();
        stop();
        break;
      case 1:  // what was stored is not known
        ASSERT_TRUE(delivers_more()) << sink();
        relay().swallow_answers();
        ASSERT_TRUE(leaves_unheard_of(1)) << sink();
        stop();
        relay().pass_answers();
        break;
      case 2:  // nobody is there
        ASSERT_TRUE(delivers_more()) << sink();
        server().kill();
        ASSERT_TRUE(comes_to_say("unreachable"));
        stop();
        server().start();
        break;
      case 3:  // it has hardly begun
        stop();
        break;
    }
    start_next();
    ASSERT_GE(received(), counted);
    ASSERT_EQ(daemon().stat("/state/not_restored"), 0U);
    if (round % 4 == 1) {
      ASSERT_TRUE(
          eventually([&] { return figure("/acknowledged/duplicates") > 0; }, patience_for_delivery))
          << sink();
      duplicates += figure("/acknowledged/duplicates");
    }
  }
  senders.finish();
  ASSERT_TRUE(eventually([&] { return senders.finished(); }, patience_for_delivery));
  const std::uint64_t frames = comes_to_deliver_all();
  EXPECT_GT(duplicates, 0U) << "messages were tried again, by the same names";
  expect_whole(read_back({server().url()}, frames), frames);
}

TEST_F(SinkOverRestarts, UnacknowledgedMessagesAreRecognisedByTheirId) {
  constexpr std::uint64_t frames = 500;
  start_next();
  ASSERT_TRUE(comes_to_say(""));
  relay().swallow_answers();
  for (std::uint32_t satellite = 1; satellite <= 4; ++satellite) {
    send_whole(port(), frames_of(satellite, 0, frames, 20));
  }
  ASSERT_TRUE(leaves_unheard_of(4)) << "one of each satellite";
  EXPECT_EQ(stored(), 4U);
  EXPECT_EQ(delivered(), 0U);
  stop();
  start_next();  // which does not even come to know that there is a server
  ASSERT_TRUE(comes_to_say("unreachable"));
  stop();
  relay().pass_answers();
  start_next();
  EXPECT_TRUE(comes_to_deliver(4 * frames)) << sink();
  EXPECT_EQ(figure("/acknowledged/duplicates"), 4U);
  EXPECT_EQ(figure("/acknowledged/messages"), stored());
  expect_whole(read_back({server().url()}, 4 * frames), 4 * frames);
}

/// A copy of the state is there for two daemons: a machine that was copied, or rolled back.
class SinksOfOneState : public SinkOverRestarts {
 protected:
  void stop_and_copy() {
    stop();
    copy_ = test::read_file(saved());
  }
  void start_from_the_copy() {
    leave(copy_);
    start_next();
    ASSERT_TRUE(comes_to_say("")) << sink();
  }
  void send_as_one_message(std::uint64_t first, std::uint64_t count) {
    test::UplinkClient uplink(port());
    send_as_batch(uplink, frames_of(7, first, count));
    uplink.finish();
  }

 private:
  std::string copy_;
};

TEST_F(SinksOfOneState, DeliverEachItsOwnFrames) {
  constexpr std::uint64_t frames = 20;
  start_next();
  ASSERT_TRUE(comes_to_say(""));
  ASSERT_NO_FATAL_FAILURE(stop_and_copy());
  for (std::uint64_t user = 0; user < 2; ++user) {
    ASSERT_NO_FATAL_FAILURE(start_from_the_copy());
    send_as_one_message(user * frames, frames);
    EXPECT_TRUE(comes_to_deliver(frames)) << sink();
    EXPECT_EQ(figure("/acknowledged/duplicates"), 0U);
    stop();
  }
  expect_whole(read_back({server().url()}, 2 * frames), 2 * frames);
}

TEST_F(SinksOfOneState, RecogniseMessagesInFlightByTheirId) {
  constexpr std::uint64_t frames = 20;
  start_next();
  ASSERT_TRUE(comes_to_say(""));
  relay().swallow_answers();
  send_as_one_message(0, frames);
  ASSERT_TRUE(leaves_unheard_of(1));
  ASSERT_NO_FATAL_FAILURE(stop_and_copy());
  relay().pass_answers();
  for (int user = 0; user < 2; ++user) {
    ASSERT_NO_FATAL_FAILURE(start_from_the_copy());
    EXPECT_TRUE(comes_to_deliver(frames)) << sink();
    EXPECT_EQ(figure("/acknowledged/duplicates"), 1U);
    stop();
  }
  expect_whole(read_back({server().url()}, frames), frames);
}

TEST_F(SinkOverRestarts, ReadsOfSeveralSatellitesKeepTheirOrder) {
  std::map<std::uint32_t, std::uint64_t> next;
  std::uint64_t frames = 0;
  start_next();
  ASSERT_TRUE(comes_to_say(""));
  relay().swallow_answers();
  {
    test::UplinkClient uplink(port());
    for (std::uint32_t round = 0; round < 8; ++round) {
      // Satellite 1 alone, or beside one whose message is on its way at once. Smaller reads would
      // be joined.
      std::vector<test::NativeFrame> read;
      for (std::uint32_t i = 0; i < 12; ++i) {
        const std::uint32_t satellite = round % 2 == 0 && i % 2 == 0 ? 2 + round : 1;
        read.push_back({.satellite_id = satellite,
                        .sequence = next[satellite]++,
                        .payload = std::string(400, 'x')});
      }
      frames += read.size();
      send_as_batch(uplink, read);
    }
    uplink.finish();
  }
  ASSERT_TRUE(leaves_unheard_of(5));
  stop();
  relay().pass_answers();
  start_next();
  EXPECT_TRUE(comes_to_deliver(frames)) << sink();
  EXPECT_EQ(figure("/acknowledged/duplicates"), 5U);
  expect_whole(read_back({server().url()}, frames), frames);
}

TEST_F(SinkOverRestarts, NextDaemonDeliversWhatWaitedForTheServer) {
  server().stop();
  start_next();
  send_whole(port(), frames_of(7, 0, 5'000));
  ASSERT_TRUE(comes_to_say("unreachable"));
  stop();
  start_next();
  EXPECT_EQ(ledger().at("buffered"), 5'000);
  send_whole(port(), frames_of(7, 5'000, 100));
  server().start();
  EXPECT_TRUE(comes_to_deliver(5'100)) << sink();
  expect_whole(read_back({server().url()}, 5'100), 5'100);
}

}  // namespace
}  // namespace meridian::test
