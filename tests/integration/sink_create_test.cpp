// meridianctl sink create, against real NATS servers.
#include "integration/harness/child_process.hpp"
#include "integration/harness/daemon.hpp"
#include "integration/harness/nats_server.hpp"
#include "integration/harness/test_sink.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace meridian::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Json = nlohmann::json;
using testing::Not;
using testing::StartsWith;

using namespace std::chrono_literals;

class SinkCreate : public test::NatsTest {
 protected:
  NatsServer& start(NatsConfig config = {}) {
    server_ = std::make_unique<NatsServer>(std::move(config));
    server_->start();
    configure({{"archive", {server_->url()}}});
    return *server_;
  }

  struct Named {
    std::string name;
    std::vector<std::string> servers;
  };
  /// Each into a stream TELEMETRY.
  void configure(const std::vector<Named>& sinks) {
    Json list = Json::array();
    for (const Named& each : sinks) {
      list.push_back({{"name", each.name}, {"servers", each.servers}, {"stream", "TELEMETRY"}});
    }
    const Json config = {{"sinks", list}, {"buffer", {{"when_full", "backpressure"}}}};
    std::ignore = directory_.write("meridiand.json", config.dump());
  }

  [[nodiscard]] Finished create(std::vector<std::string> arguments = {}) const {
    arguments.insert(arguments.begin(), {test::meridianctl, "sink", "create", "--config",
                                         directory_.file("meridiand.json")});
    return test::run(arguments);
  }

  /// What the servers say of the stream now.
  [[nodiscard]] static sink::jetstream::StreamSettings stream_at(
      const std::vector<std::string>& servers) {
    const sink::Options options = sink_options(servers);
    const auto report = sink::jetstream::check_stream(*test::connect(options), options);
    if (!report) {
      throw std::runtime_error(report.error().text);
    }
    return report->settings;
  }

 private:
  TempDir directory_;
  std::unique_ptr<NatsServer> server_;
};

TEST_F(SinkCreate, CreatesTheStreamAsItIsAskedFor) {
  const NatsServer& server = start();
  const Finished finished = create({"archive", "--replicas", "1", "--duplicate-window-s", "300",
                                    "--max-bytes", "1000000", "--max-age-s", "86400"});
  EXPECT_EQ(finished.status, 0) << finished.err;
  EXPECT_THAT(finished.out,
              AllOf(StartsWith("created the stream TELEMETRY: subjects meridian.*.*; 1 replica(s); "
                               "duplicate window 300 s; at most 1,000,000 bytes; messages are "
                               "dropped after 86400 s\n"),
                    HasSubstr("\nunsafe: It has 1 replica(s)")));
  const sink::jetstream::StreamSettings settings = stream_at({server.url()});
  EXPECT_THAT(settings.subjects, ElementsAre("meridian.*.*"));
  EXPECT_EQ(settings.replicas, 1U);
  EXPECT_EQ(settings.storage, sink::jetstream::Storage::file);
  EXPECT_EQ(settings.discard, sink::jetstream::Discard::newest);
  EXPECT_EQ(settings.duplicate_window, 300s);
  EXPECT_EQ(settings.max_bytes, 1'000'000U);
  EXPECT_EQ(settings.max_age, 24h);
}

TEST_F(SinkCreate, NeedsNoNameWhereThereIsOneSink) {
  start();
  EXPECT_EQ(create({"--replicas", "1"}).status, 0);
}

TEST_F(SinkCreate, CreatesThreeReplicasInAClusterByDefault) {
  const test::NatsCluster cluster;
  configure({{"archive", cluster.urls()}});
  const Finished finished = create();
  EXPECT_EQ(finished.status, 0) << finished.err;
  EXPECT_THAT(finished.out, AllOf(HasSubstr("3 replica(s)"), Not(HasSubstr("unsafe"))));
  EXPECT_EQ(stream_at(cluster.urls()).replicas, 3U);
}

TEST_F(SinkCreate, LeavesAnExistingStreamUnchanged) {
  start();
  ASSERT_EQ(create({"--replicas", "1"}).status, 0);
  const Finished again = create({"--replicas", "1"});
  EXPECT_EQ(again.status, 0) << again.err;
  EXPECT_THAT(again.out, StartsWith("the stream TELEMETRY exists already, as asked for: "));
}

TEST_F(SinkCreate, FailsAndNamesDifferencesOfAnExistingStream) {
  const NatsServer& server = start();
  add_stream(sink_options({server.url()}), "TELEMETRY", "other.>");
  const Finished finished = create({"--replicas", "3"});
  EXPECT_EQ(finished.status, 1);
  EXPECT_THAT(finished.out,
              AllOf(StartsWith("the stream TELEMETRY exists already and was not changed; "),
                    HasSubstr("\n  subjects: other.>, asked for meridian.*.*\n"),
                    HasSubstr("\n  replicas: 1, asked for 3\n"),
                    HasSubstr("\nunsafe: It has 1 replica(s)")));
}

TEST_F(SinkCreate, TellsProgramsTheSame) {
  const NatsServer& server = start();
  const Finished finished = create({"--json", "--replicas", "1", "--max-age-s", "3600"});
  EXPECT_EQ(finished.status, 0) << finished.err;
  Json told = Json::parse(finished.out);
  EXPECT_EQ(told.at("unsafe").size(), 1U);
  told.erase("unsafe");
  EXPECT_EQ(told, Json::parse(R"({"stream":"TELEMETRY","created":true,"subjects":["meridian.*.*"],
      "replicas":1,"duplicate_window_s":120.0,"max_bytes":null,"max_age_s":3600.0,
      "differences":[]})"));
  const Finished other = create({"--json", "--replicas", "3"});
  EXPECT_EQ(other.status, 1);
  told = Json::parse(other.out);
  EXPECT_EQ(told.at("created"), false);
  EXPECT_EQ(told.at("differences"),
            Json::array({"replicas: 1, asked for 3", "maximum age: 3600 s, asked for none"}));
  EXPECT_EQ(stream_at({server.url()}).max_age, 1h);
}

TEST_F(SinkCreate, SaysWhyAServerRefuses) {
  start();
  const Finished finished = create({"--replicas", "3"});  // of one server
  EXPECT_EQ(finished.status, 1);
  EXPECT_EQ(finished.out, "");
  EXPECT_THAT(finished.err, AllOf(StartsWith("meridianctl: sink archive: "),
                                  HasSubstr("cannot create the stream TELEMETRY")));
}

TEST_F(SinkCreate, NamesServersThatAreNotThere) {
  const BoundSocket nobody = BoundSocket::reserved_port();
  const std::string url = "nats://127.0.0.1:" + std::to_string(nobody.port());
  configure({{"archive", {url}}});
  const Finished finished = create();
  EXPECT_EQ(finished.status, 1);
  EXPECT_THAT(finished.err,
              AllOf(StartsWith("meridianctl: sink archive: unreachable: "), HasSubstr(url)));
}

TEST_F(SinkCreate, NamesWrongCredentialsAndShowsNoPassword) {
  const NatsServer& server = start({.lines = "authorization { user: alice, password: sesame }\n"});
  configure({{"archive", {server.url("alice:mellon")}}});
  const Finished finished = create({"--replicas", "1"});
  EXPECT_EQ(finished.status, 1);
  EXPECT_THAT(finished.err, AllOf(StartsWith("meridianctl: sink archive: authorization: "),
                                  Not(HasSubstr("mellon"))));
  configure({{"archive", {server.url("alice:sesame")}}});
  EXPECT_EQ(create({"--replicas", "1"}).status, 0);
}

TEST_F(SinkCreate, NamesAServerWithoutJetStream) {
  start({.jet_stream = false});
  const Finished finished = create({"--replicas", "1"});
  EXPECT_EQ(finished.status, 1);
  EXPECT_THAT(finished.err, StartsWith("meridianctl: sink archive: not_enabled: "));
}

TEST_F(SinkCreate, NamesTheSinksThatThereAre) {
  const std::vector<std::string> servers{"nats://127.0.0.1:4222"};
  configure({{"archive", servers}, {"mirror", servers}});
  const Finished none = create({"other"});
  EXPECT_EQ(none.status, 1);
  EXPECT_THAT(none.err, AllOf(HasSubstr("no sink \"other\""), HasSubstr("archive, mirror")));
  const Finished which = create();
  EXPECT_EQ(which.status, 1);
  EXPECT_THAT(which.err, AllOf(HasSubstr("name of a sink"), HasSubstr("archive, mirror")));
  configure({});
  EXPECT_THAT(create().err, HasSubstr("has no sinks"));
}

TEST_F(SinkCreate, NamesWhatIsWrongWithTheConfiguration) {
  configure({{"archive", {"http://127.0.0.1"}}});
  const Finished finished = create();
  EXPECT_EQ(finished.status, 1);
  EXPECT_EQ(finished.out, "");
  EXPECT_THAT(finished.err, AllOf(HasSubstr("meridiand.json"), HasSubstr("sinks[0].servers")));
}

TEST_F(SinkCreate, RefusesNumbersThatNoStreamCanHave) {
  start();
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"--replicas", "0"},
                                             {"--replicas", "6"},
                                             {"--duplicate-window-s", "0"},
                                             {"--max-bytes", "0"},
                                             {"--max-age-s", "a day"}}) {
    const Finished finished = create(arguments);
    EXPECT_GE(finished.status, 100) << arguments.front();
    EXPECT_THAT(finished.out, IsEmpty());
  }
}

}  // namespace
}  // namespace meridian::test
