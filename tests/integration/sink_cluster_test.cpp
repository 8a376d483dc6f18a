// Frames on their way from uplinks through the daemon into a cluster, whatever happens to it: read
// back, none is missing, none is there twice, and those of each satellite are in order.
#include "integration/harness/relay.hpp"
#include "integration/harness/sinks.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <signal.h>

namespace meridian::test {
namespace {

constexpr std::size_t cluster_uplinks = 48;

class SinkUnderLoad : public test::SinkTest {
 protected:
  /// Uplinks that send without end, a part of what they could, so that the servers have their
  /// share of the processors.
  void start_load() {
    const std::uint64_t rate = long_form() ? 1'000 : scaled(200);
    load_.emplace(
        simulate(cluster_uplinks, {"--rate", std::to_string(rate), "--duration", "86400"}));
  }

  /// Ends it. What the daemon has received is to be in the stream.
  void expect_all_in_the_stream(const std::vector<std::string>& servers) {
    load_->signal(SIGTERM);
    EXPECT_EQ(load_->wait(), 1) << "it was not at its end";
    const std::uint64_t frames = comes_to_deliver_all();
    EXPECT_EQ(figure("/acknowledged/frames"), frames);
    // Tells what servers have lost from what the sink has: they acknowledged so many messages.
    SCOPED_TRACE(sink().at("acknowledged").dump());
    expect_whole(read_back(servers, frames), frames);
  }

  /// Whether frames that come from now on arrive in the stream.
  [[nodiscard]] bool goes_on() {
    const std::uint64_t frames = received();
    return eventually([&] { return delivered() > frames; }, patience_for_delivery);
  }

 private:
  std::optional<ChildProcess> load_;
};

class SinkIntoCluster : public SinkUnderLoad {
 protected:
  void SetUp() override {
    SinkUnderLoad::SetUp();
    if (IsSkipped()) {
      return;
    }
    cluster_.emplace();
    create_stream(sink_options(cluster_->urls()), 3);
    start_sinks({sink_into(cluster_->urls())});
  }

  NatsCluster& cluster() { return *cluster_; }

  /// The leader of the stream, other than `former`.
  std::string leader(const std::string& former = "") {
    std::string name;
    EXPECT_TRUE(eventually(
        [&] {
          name = cluster_->leader_of("TELEMETRY");
          return !name.empty() && name != former;
        },
        patience_for_delivery));
    return name;
  }

 private:
  std::optional<NatsCluster> cluster_;
};

TEST_F(SinkIntoCluster, HasEveryFrameOf48Uplinks) {
  const std::uint64_t each = long_form() ? 100'000 : scaled(5'000);
  ChildProcess load = simulate(cluster_uplinks, {"--frames", std::to_string(each)});
  EXPECT_TRUE(comes_to_deliver(cluster_uplinks * each)) << sink();
  EXPECT_EQ(load.wait(), 0) << load.err();
  EXPECT_EQ(comes_to_deliver_all(), cluster_uplinks * each);
  expect_whole(read_back(cluster().urls(), cluster_uplinks * each), cluster_uplinks * each);
}

TEST_F(SinkIntoCluster, HasEveryFrameWhileItsLeadersAreKilled) {
  const int kills = long_form() ? 3 : 1;  // an election takes 4 to 9 s
  start_load();
  for (int kill = 0; kill < kills; ++kill) {
    ASSERT_TRUE(goes_on());
    const std::string killed = leader();
    cluster().named(killed).kill();
    std::ignore = leader(killed);
    ASSERT_TRUE(goes_on()) << sink();
    cluster().named(killed).start();
    cluster().wait_current();
  }
  expect_all_in_the_stream(cluster().urls());
}

TEST_F(SinkIntoCluster, DeliversEveryFrameAfterATotalOutage) {
  const double gone_s = long_form() ? 20 : 3;
  start_load();
  ASSERT_TRUE(goes_on());
  // Stopped and not killed: a server promises that what it acknowledged outlives the end of a
  // minority, not that of all servers at the same moment (docs/operate/sinks.md).
  for (std::size_t i = 0; i < 3; ++i) {
    cluster().at(i).stop();
  }
  ASSERT_TRUE(
      eventually([&] { return sink().at("lag").at("seconds") > gone_s; }, patience_for_delivery));
  for (std::size_t i = 0; i < 3; ++i) {
    cluster().at(i).spawn();
  }
  cluster().wait_current();
  ASSERT_TRUE(goes_on()) << sink();
  expect_all_in_the_stream(cluster().urls());
}

class SinkBehindRelay : public SinkUnderLoad {};

TEST_F(SinkBehindRelay, DeliversEveryFrameDespiteRepeatedCuts) {
  const int cuts = long_form() ? 12 : 5;
  NatsServer server;
  server.start();
  create_stream(sink_options({server.url()}));
  Relay relay(server.port());
  start_sinks({sink_into({relay.url()})});
  start_load();
  for (int cut = 0; cut < cuts; ++cut) {
    ASSERT_TRUE(goes_on()) << sink();
    const std::uint64_t lost = figure("/refused/unreachable");
    relay.cut();
    ASSERT_TRUE(eventually([&] { return figure("/refused/unreachable") > lost; }));
  }
  ASSERT_TRUE(goes_on()) << sink();
  expect_all_in_the_stream({server.url()});
}

}  // namespace
}  // namespace meridian::test
