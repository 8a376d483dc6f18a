// What a configuration says of sinks, and what is said of a wrong one.
#include "daemon/read_config.hpp"
#include "sink/type.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

namespace meridian::test {

using namespace daemon;

namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;
using testing::ThrowsMessage;

/// A configuration with a buffer in which frames can be held, and these sinks.
Config parse_sinks(const std::string& sinks) {
  return parse_config(R"({"buffer":{"when_full":"backpressure"},"sinks":)" + sinks + "}");
}

/// With one sink that has all it must have, and more fields.
std::string sink_with(const std::string& fields) {
  return R"([{"servers":["nats://127.0.0.1:4222"],"stream":"T")" +
         (fields.empty() ? "" : "," + fields) + "}]";
}

sink::Options parse_sink(const std::string& fields) {
  return parse_sinks(sink_with(fields)).sinks.at(0);
}

TEST(SinkConfig, HasNoSinksUnlessTheyAreNamed) {
  EXPECT_THAT(default_config().sinks, IsEmpty());
  EXPECT_THAT(default_config().aggregator.consumers, IsEmpty());
  EXPECT_THAT(parse_sinks("[]").sinks, IsEmpty());
}

TEST(SinkConfig, NeedsServersAndAStream) {
  const sink::Options expected{.name = "sink-1",
                               .type = sink::types().front(),
                               .batch_max_bytes = 524'288,
                               .max_in_flight_bytes = 8'388'608,
                               .when_behind = sink::WhenBehind::hold,
                               .jetstream = {.servers = {"nats://127.0.0.1:4222"},
                                             .stream = "T",
                                             .subject = "meridian.{satellite_id}.{channel_id}"}};
  EXPECT_EQ(parse_sink(""), expected);
}

TEST(SinkConfig, HoldsEveryKey) {
  const Config config = parse_sinks(R"([{
    "name": "deep-space_1", "type": "nats_jetstream",
    "servers": ["nats://user:pass@127.0.0.1", "tls://[::1]:5"],
    "stream": "ALL", "subject": "x.{channel_id}",
    "credentials": "/etc/x.creds",
    "tls": { "ca_file": "/etc/ca", "certificate_file": "/etc/cert", "key_file": "/etc/key" },
    "max_in_flight_bytes": 3000, "batch_max_bytes": 2000, "when_behind": "skip_oldest" }])");
  const sink::Options expected{
      .name = "deep-space_1",
      .type = sink::types().front(),
      .batch_max_bytes = 2000,
      .max_in_flight_bytes = 3000,
      .when_behind = sink::WhenBehind::skip_oldest,
      .jetstream = {.servers = {"nats://user:pass@127.0.0.1", "tls://[::1]:5"},
                    .stream = "ALL",
                    .subject = "x.{channel_id}",
                    .credentials = "/etc/x.creds",
                    .tls = {.enabled = true,
                            .ca_file = "/etc/ca",
                            .certificate_file = "/etc/cert",
                            .key_file = "/etc/key"}}};
  EXPECT_THAT(config.sinks, ElementsAre(expected));
}

TEST(SinkConfig, MakesAConsumerOfEachSink) {
  const Config config = parse_sinks(
      R"([{"name":"a","servers":["nats://h"],"stream":"A"},
          {"name":"b","servers":["nats://h"],"stream":"B","when_behind":"skip_oldest"}])");
  ASSERT_EQ(config.aggregator.consumers.size(), 2U);
  EXPECT_EQ(config.aggregator.consumers[0].name, "a");
  EXPECT_TRUE(config.aggregator.consumers[0].hold);
  EXPECT_EQ(config.aggregator.consumers[1].name, "b");
  EXPECT_FALSE(config.aggregator.consumers[1].hold);
}

TEST(SinkConfig, MayHaveTlsOrNot) {
  EXPECT_FALSE(parse_sink(R"("tls":null)").jetstream.tls.enabled);
  EXPECT_TRUE(parse_sink(R"("tls":{})").jetstream.tls.enabled);
  EXPECT_FALSE(parse_sink(R"("tls":{"enabled":false})").jetstream.tls.enabled);
  EXPECT_EQ(parse_sink(R"("tls":{"ca_file":null})").jetstream.tls.ca_file, "");
  EXPECT_EQ(parse_sink(R"("credentials":null)").jetstream.credentials, "");
}

TEST(SinkConfig, RefusesAnInFlightBoundBelowOneMessage) {
  EXPECT_EQ(parse_sink(R"("batch_max_bytes":8388608)").max_in_flight_bytes, 8'388'608U);
  EXPECT_EQ(parse_sink(R"("batch_max_bytes":67108864,"max_in_flight_bytes":67108864)")
                .max_in_flight_bytes,
            67'108'864U);
  EXPECT_THAT(
      [] { std::ignore = parse_sink(R"("batch_max_bytes":8388609)"); },
      ThrowsMessage<config::Error>(AllOf(HasSubstr("sinks[0].max_in_flight_bytes: must be set"),
                                         HasSubstr("8388609"), HasSubstr("8388608"))));
}

struct WrongSinks {
  const char* name;
  std::string sinks;
  std::string message;  ///< what it begins with
};
void PrintTo(const WrongSinks& wrong, std::ostream* out) {
  *out << wrong.name;
}

class WrongSinkConfigs : public testing::TestWithParam<WrongSinks> {};

TEST_P(WrongSinkConfigs, AreRefusedWithKeyPathAndAllowedValues) {
  EXPECT_THAT([] { std::ignore = parse_sinks(GetParam().sinks); },
              ThrowsMessage<config::Error>(StartsWith(GetParam().message)));
}

/// One sink with wrong fields.
WrongSinks wrong(const char* name, const std::string& fields, const std::string& message) {
  return {name, sink_with(fields), "sinks[0]" + message};
}

/// One sink with wrong servers.
WrongSinks wrong_servers(const char* name, const std::string& servers) {
  return {name, R"([{"stream":"T","servers":)" + servers + "}]",
          "sinks[0].servers: must be a list of 1 to 64 servers, such as "};
}

WrongSinks wrong_stream(const char* name, const std::string& stream) {
  return {name, R"([{"servers":["nats://h"],"stream":)" + stream + "}]",
          "sinks[0].stream: must be"};
}

INSTANTIATE_TEST_SUITE_P(
    Each, WrongSinkConfigs,
    testing::Values(
        WrongSinks{"NoList", "{}", "sinks: must be a list of 0 to 16 sinks"},
        WrongSinks{"TooMany", "[{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}]",
                   "sinks: must be a list of 0 to 16 sinks"},
        WrongSinks{"NoObject", "[7]", "sinks[0]: must be an object, is 7"},
        WrongSinks{"SameNames",
                   R"([{"name":"a","servers":["nats://h"],"stream":"A"},
                       {"name":"a","servers":["nats://h"],"stream":"B"}])",
                   "sinks[1].name: \"a\" is taken by another sink"},
        WrongSinks{"GivenNameOfADefault",
                   R"([{"name":"sink-2","servers":["nats://h"],"stream":"A"},
                       {"servers":["nats://h"],"stream":"B"}])",
                   "sinks[1].name: \"sink-2\" is taken by another sink"},
        wrong("UnknownKey", R"("server":"nats://h")",
              ".server: unknown key; allowed here: name, type, batch_max_bytes, "
              "max_in_flight_bytes, when_behind, servers, stream, subject, credentials, tls"),
        wrong("EmptyName", R"("name":"")", ".name: must be 1 to 64 letters"),
        wrong("NameWithADot", R"("name":"a.b")", ".name: must be 1 to 64 letters"),
        wrong("LongName", R"("name":")" + std::string(65, 'x') + "\"",
              ".name: must be 1 to 64 letters"),
        wrong("NumberForAName", R"("name":1)", ".name: must be a string"),
        wrong("OtherType", R"("type":"kafka")", R"(.type: must be "nats_jetstream")"),
        WrongSinks{"NoServers", R"([{"stream":"T"}])", "sinks[0].servers: must be a list"},
        wrong_servers("NoListOfServers", R"("nats://h")"), wrong_servers("EmptyServers", "[]"),
        wrong_servers("NumberForAServer", "[4222]"),
        wrong_servers("NoScheme", R"(["127.0.0.1:4222"])"),
        wrong_servers("OtherScheme", R"(["http://127.0.0.1:4222"])"),
        wrong_servers("NoHost", R"(["nats://"])"),
        wrong_servers("OneWrongServer", R"(["nats://h","nats://h:70000"])"),
        WrongSinks{"NoStream", R"([{"servers":["nats://h"]}])", "sinks[0].stream: must be"},
        wrong_stream("EmptyStream", R"("")"), wrong_stream("StreamWithADot", R"("a.b")"),
        wrong_stream("StreamWithAWildcard", R"("a*")"), wrong_stream("NullForAStream", "null"),
        wrong("EmptySubject", R"("subject":"")", ".subject: must not be empty"),
        wrong("Wildcard", R"("subject":"meridian.*")",
              ".subject: must not have a blank, a control"),
        wrong("UnknownPlaceholder", R"("subject":"m.{apid}")", ".subject: must not have a brace"),
        wrong("EmptyToken", R"("subject":"m..{channel_id}")",
              ".subject: must not have an empty token"),
        wrong("ServersOwnSubject", R"("subject":"$JS.x")", ".subject: must not begin with $"),
        wrong("RelativeCredentials", R"("credentials":"x.creds")",
              ".credentials: must be the absolute path of a file, or null"),
        wrong("NumberForCredentials", R"("credentials":1)",
              ".credentials: must be a string or null"),
        wrong("NoObjectForTls", R"("tls":true)", ".tls: must be an object, is true"),
        wrong("UnknownKeyOfTls", R"("tls":{"verify":false})", ".tls.verify: unknown key"),
        wrong("RelativeCaFile", R"("tls":{"ca_file":"ca.pem"})", ".tls.ca_file: must be the abs"),
        wrong("CertificateWithoutKey", R"("tls":{"certificate_file":"/c"})",
              ".tls.key_file: must be given together with certificate_file"),
        wrong("KeyWithoutCertificate", R"("tls":{"key_file":"/k"})",
              ".tls.key_file: must be given together with certificate_file"),
        wrong("SmallBatches", R"("batch_max_bytes":1023)",
              ".batch_max_bytes: must be an integer from 1024 to 67108864"),
        wrong("LargeBatches", R"("batch_max_bytes":67108865)",
              ".batch_max_bytes: must be an integer from 1024 to 67108864"),
        wrong("LessInFlightThanAMessage", R"("batch_max_bytes":5000,"max_in_flight_bytes":4999)",
              ".max_in_flight_bytes: must be an integer from 5000 to 1073741824"),
        wrong("MuchInFlight", R"("max_in_flight_bytes":1073741825)",
              ".max_in_flight_bytes: must be an integer from 524288 to 1073741824"),
        wrong("FractionInFlight", R"("max_in_flight_bytes":1e6)",
              ".max_in_flight_bytes: must be an integer"),
        wrong("OtherPolicy", R"("when_behind":"drop")",
              ".when_behind: must be one of \"hold\", \"skip_oldest\"")),
    [](const auto& each) { return std::string(each.param.name); });

TEST(SinkConfig, IsRefusedWithoutPasswords) {
  for (const char* servers : {R"("nats://u:secret@h")", R"(["nats://u:secret@h:0"])",
                              R"([["nats://u:secret@h"]])", R"({"a":"nats://u:secret@h"})"}) {
    EXPECT_THAT([&] { std::ignore = parse_sinks(R"([{"servers":)" + std::string(servers) + "}]"); },
                ThrowsMessage<config::Error>(AllOf(HasSubstr("…@h"), Not(HasSubstr("secret")))));
  }
}

TEST(SinkConfig, IsRefusedWithoutPasswordsWhereverTheyStand) {
  for (const char* config :
       {R"({"sinks":{"servers":["nats://u:secret@h"]}})", R"({"sinks":"nats://u:secret@h"})",
        R"({"log":"nats://u:secret@h"})", R"({"sinks":[{"servers":["nats://u:secret@h]}]})",
        R"({"sinks":[{"servers":["nats://h"],"credentials":"nats://u:secret@h"}]})",
        R"({"sinks":[{"servers":["nats://u:secret)", R"({"sinks":[{"servers":["nats:\/\/u:secret)",
        "{\"sinks\":[{\"servers\":[\"nats://u:secret\n@h\"]}]}",
        R"({"log":"nats://u:\"secret@h"})"}) {
    EXPECT_THAT([&] { std::ignore = parse_config(config); },
                ThrowsMessage<config::Error>(Not(HasSubstr("secret"))))
        << config;
  }
}

TEST(SinkConfig, ExplainsHowToWriteAPercentSign) {
  for (const char* server : {"nats://u:secret%@h", "nats://u:secret%zz@h", "nats://se%cret:p@h"}) {
    const std::string sinks = R"([{"servers":[")" + std::string(server) + R"("],"stream":"T"}])";
    EXPECT_THAT([&] { std::ignore = parse_sinks(sinks); },
                ThrowsMessage<config::Error>(
                    AllOf(StartsWith("sinks[0].servers: "), HasSubstr("% written as %25"),
                          HasSubstr("…@h"), Not(HasSubstr("secret")), Not(HasSubstr("cret:")))))
        << server;
  }
  EXPECT_THAT([] { std::ignore = parse_sinks(R"([{"servers":["nats://h%:0"],"stream":"T"}])"); },
              ThrowsMessage<config::Error>(Not(HasSubstr("%25"))));
}

TEST(SinkConfig, HoldsNothingUnderDropOldest) {
  const auto config = [](const char* when_full, const char* when_behind) {
    return parse_config(
        std::string(R"({"buffer":{"when_full":")") + when_full + R"("},"sinks":)" +
        sink_with(std::string(R"("name":"a","when_behind":")") + when_behind + "\"") + "}");
  };
  EXPECT_THAT([&] { std::ignore = config("drop_oldest", "hold"); },
              ThrowsMessage<config::Error>(HasSubstr(
                  R"(sinks[0].when_behind: "hold" needs buffer.when_full "backpressure")")));
  for (const char* when_full : {"backpressure", "drop_newest"}) {
    EXPECT_EQ(config(when_full, "hold").sinks.size(), 1U);
  }
  for (const char* when_full : {"backpressure", "drop_newest", "drop_oldest"}) {
    EXPECT_EQ(config(when_full, "skip_oldest").sinks.size(), 1U);
  }
}

TEST(SinkConfig, OfNoPolicyIsToHold) {
  EXPECT_THAT([] { std::ignore = parse_config(R"({"sinks":)" + sink_with("") + "}"); },
              ThrowsMessage<config::Error>(HasSubstr("\"hold\" needs buffer.when_full")));
}

}  // namespace
}  // namespace meridian::test
