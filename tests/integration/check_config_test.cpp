// `meridiand --check-config`: yes, or exit status 78 with the key and what is allowed there.
#include "integration/harness/daemon.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace meridian::test {
namespace {

using testing::HasSubstr;

Finished check_config(const std::string& file) {
  return test::run({test::meridiand, "--check-config", "--config", file});
}

struct BrokenConfig {
  const char* name;
  std::string text;
  std::vector<std::string> said;  ///< that the message has all of
};
void PrintTo(const BrokenConfig& config, std::ostream* out) {
  *out << config.name;
}

class BrokenConfigs : public testing::TestWithParam<BrokenConfig> {};

TEST_P(BrokenConfigs, AreRefusedWithKeyPathAndAllowedValues) {
  const TempDir directory;
  const std::string file = directory.write("broken.json", GetParam().text);
  const Finished refused = check_config(file);
  EXPECT_EQ(refused.status, 78);
  EXPECT_THAT(refused.err, HasSubstr(file));
  for (const std::string& text : GetParam().said) {
    EXPECT_THAT(refused.err, HasSubstr(text));
  }
  EXPECT_EQ(refused.out, "");
  EXPECT_EQ(test::lines_of(refused.err).size(), 1U) << refused.err;
}

TEST_P(BrokenConfigs, KeepTheDaemonFromStartingToo) {
  const TempDir directory;
  const std::string file = directory.write("broken.json", GetParam().text);
  EXPECT_EQ(test::run({test::meridiand, "--config", file}).status, 78);
}

std::string uplink(const std::string& fields) {
  return R"({"uplinks":[{)" + fields + "}]}";
}

INSTANTIATE_TEST_SUITE_P(
    Each, BrokenConfigs,
    testing::Values(
        BrokenConfig{"EmptyFile", "", {"JSON"}},
        BrokenConfig{"NotJson", "buffer = 5", {"JSON", "line 1"}},
        BrokenConfig{"CutOff", R"({"buffer": {"max_frames": 5)", {"JSON"}},
        BrokenConfig{"TrailingText", "{} {}", {"JSON"}},
        BrokenConfig{"AList", "[]", {"must be an object"}},
        BrokenConfig{"UnknownKey", R"({"bufer": {}})", {"bufer", "unknown", "buffer, control"}},
        BrokenConfig{"UnknownKeyInside",
                     R"({"buffer": {"max_frame": 1}})",
                     {"buffer.max_frame", "unknown", "max_frames, max_bytes, when_full"}},
        BrokenConfig{"UnknownKeyOfAListener",
                     R"({"uplinks":[{"listen":"127.0.0.1:1"},{"listen":"127.0.0.1:2","port":1}]})",
                     {"uplinks[1].port", "unknown", "listen"}},
        BrokenConfig{"DuplicateKey", R"({"threads": 1, "threads": 2})", {"threads", "twice"}},
        BrokenConfig{"NumberBeyondAllBounds", R"({"threads": 1e400})", {"threads", "too large"}},
        BrokenConfig{"NumberBeyondAllBoundsInAList",
                     R"({"uplinks":[{},{"max_sessions":-1e999}]})",
                     {"uplinks[1].max_sessions", "too large"}},
        BrokenConfig{
            "NestedDeeply",
            R"({"threads": )" + std::string(100'000, '[') + std::string(100'000, ']') + "}",
            {"threads[0]", "nested too deeply"}},
        BrokenConfig{"ControlCharacter",
                     uplink(R"("name":"a\nb")"),
                     {"uplinks[0].name", "control characters"}},
        BrokenConfig{"KeyThatWouldColourATerminal",
                     R"({"\u001b[31mX": 1})",
                     {R"(\u001b[31mX: unknown key)"}},
        BrokenConfig{"ControlCharacterBeyondAscii",
                     uplink("\"name\":\"a\u009bb\""),
                     {"uplinks[0].name", "control characters"}},
        BrokenConfig{"SocketPathTooLong",
                     R"({"control": {"socket": "/)" + std::string(107, 's') + R"("}})",
                     {"control.socket", "1 to 107 octets"}},
        BrokenConfig{"DuplicateKeyInside",
                     R"({"buffer": {"max_frames": 1, "max_bytes": 100, "max_frames": 2}})",
                     {"buffer.max_frames", "twice"}},
        BrokenConfig{"DuplicateKeyOfAListener",
                     R"({"uplinks":[{"name":"a"},{"name":"b","name":"c"}]})",
                     {"uplinks[1].name", "twice"}},
        BrokenConfig{"SectionOfAnotherType", R"({"buffer": 5})", {"buffer", "object"}},
        BrokenConfig{"NumberAsText",
                     R"({"buffer": {"max_frames": "1000"}})",
                     {"buffer.max_frames", "integer", "\"1000\""}},
        BrokenConfig{"Fraction", R"({"threads": 1.5})", {"threads", "integer from 0 to", "1.5"}},
        BrokenConfig{"Negative", R"({"threads": -1})", {"threads", "integer from 0 to", "-1"}},
        BrokenConfig{"Null", R"({"log": {"level": null}})", {"log.level", "null"}},
        BrokenConfig{"NoRoomInTheBuffer",
                     R"({"buffer": {"max_frames": 0}})",
                     {"buffer.max_frames", "integer from 1 to", "0"}},
        BrokenConfig{"NoOctetsInTheBuffer",
                     R"({"buffer": {"max_bytes": 0}})",
                     {"buffer.max_bytes", "integer from 1 to"}},
        BrokenConfig{"NoRoomInTheChannel",
                     R"({"channel": {"capacity": 0}})",
                     {"channel.capacity", "integer from 1 to"}},
        BrokenConfig{"TooManyThreads", R"({"threads": 100000})", {"threads", "to 1024"}},
        BrokenConfig{"NothingTracked",
                     R"({"satellites": {"max_tracked": 0}})",
                     {"satellites.max_tracked", "from 1"}},
        BrokenConfig{
            "NoClients", R"({"control": {"max_clients": 0}})", {"control.max_clients", "from 1"}},
        BrokenConfig{"TinyRequests",
                     R"({"control": {"max_request_bytes": 1}})",
                     {"control.max_request_bytes", "integer from"}},
        BrokenConfig{
            "UnknownPolicy",
            R"({"buffer": {"when_full": "drop"}})",
            {"buffer.when_full", "drop_oldest", "drop_newest", "backpressure", "\"drop\""}},
        BrokenConfig{"UnknownChannelPolicy",
                     uplink(R"("when_channel_full": "drop_oldest")"),
                     {"uplinks[0].when_channel_full", "backpressure", "\"drop\""}},
        BrokenConfig{"UnknownFraming",
                     uplink(R"("framing": "hdlc")"),
                     {"uplinks[0].framing", "length_prefixed", "ccsds_space_packet", "hdlc"}},
        BrokenConfig{"UnknownLevel", R"({"log": {"level": "loud"}})", {"log.level", "debug"}},
        BrokenConfig{
            "UnknownFormat", R"({"log": {"format": "xml"}})", {"log.format", "text", "json"}},
        BrokenConfig{"UnknownTarget",
                     R"({"log": {"target": "syslog"}})",
                     {"log.target", "stderr", "stdout", "file"}},
        BrokenConfig{"ListenWithoutPort",
                     uplink(R"("listen": "127.0.0.1")"),
                     {"uplinks[0].listen", "127.0.0.1:7400"}},
        BrokenConfig{"ListenOnAName",
                     uplink(R"("listen": "localhost:7400")"),
                     {"uplinks[0].listen", "localhost:7400"}},
        BrokenConfig{"ListenOnTooLargeAPort",
                     uplink(R"("listen": "127.0.0.1:65536")"),
                     {"uplinks[0].listen", "65536"}},
        BrokenConfig{"ListenOnANumber", uplink(R"("listen": 7400)"), {"uplinks[0].listen", "7400"}},
        BrokenConfig{"Ipv6WithoutBrackets",
                     uplink(R"("listen": "::1:7400")"),
                     {"uplinks[0].listen", "[::1]:7400"}},
        BrokenConfig{"NoListeners", R"({"uplinks": []})", {"uplinks", "1 to"}},
        BrokenConfig{"ListenersNotAList", R"({"uplinks": {}})", {"uplinks", "list"}},
        BrokenConfig{"ListenerNotAnObject", R"({"uplinks": [5]})", {"uplinks[0]", "object"}},
        BrokenConfig{"SameNameTwice",
                     R"({"uplinks":[{"name":"a","listen":"127.0.0.1:1"},
                                    {"name":"a","listen":"127.0.0.1:2"}]})",
                     {"uplinks[1].name", "\"a\""}},
        BrokenConfig{"SameAddressTwice",
                     R"({"uplinks":[{"name":"a","listen":"127.0.0.1:1"},
                                    {"name":"b","listen":"127.0.0.1:1"}]})",
                     {"uplinks[1].listen", "127.0.0.1:1"}},
        BrokenConfig{"SameAddressForHttp",
                     R"({"http":{"listen":"127.0.0.1:7400"}})",
                     {"http.listen", "127.0.0.1:7400", "taken"}},
        BrokenConfig{
            "NoSessions", uplink(R"("max_sessions": 0)"), {"uplinks[0].max_sessions", "from 1"}},
        BrokenConfig{"HugePayload",
                     uplink(R"("max_payload_bytes": 4294967296)"),
                     {"uplinks[0].max_payload_bytes", "integer from"}},
        BrokenConfig{"PacketsLargerThanPacketsCanBe",
                     uplink(R"("framing": "ccsds_space_packet", "max_payload_bytes": 65543)"),
                     {"uplinks[0].max_payload_bytes", "to 65542"}},
        BrokenConfig{"NegativeIdleTime",
                     uplink(R"("idle_timeout_s": -1)"),
                     {"uplinks[0].idle_timeout_s", "integer from 0"}},
        BrokenConfig{"SatelliteIdTooLarge",
                     uplink(R"("framing": "ccsds_space_packet", "satellite_id": 4294967296)"),
                     {"uplinks[0].satellite_id", "0 to 4294967295"}},
        BrokenConfig{"SatelliteIdOfNativeFrames",
                     uplink(R"("satellite_id": 1)"),
                     {"uplinks[0].satellite_id", "ccsds_space_packet"}},
        BrokenConfig{"EmptySocket", R"({"control": {"socket": ""}})", {"control.socket", "path"}},
        BrokenConfig{"ModeNotOctal", R"({"control": {"mode": "0888"}})", {"control.mode", "octal"}},
        BrokenConfig{
            "ModeInWords", R"({"control": {"mode": "rw-rw----"}})", {"control.mode", "octal"}},
        BrokenConfig{"ModeANumber", R"({"control": {"mode": 432}})", {"control.mode", "432"}}),
    [](const auto& each) { return std::string(each.param.name); });

struct ValidConfig {
  const char* name;
  std::string text;
};
void PrintTo(const ValidConfig& config, std::ostream* out) {
  *out << config.name;
}

class ValidConfigs : public testing::TestWithParam<ValidConfig> {};

TEST_P(ValidConfigs, AreAccepted) {
  const TempDir directory;
  const Finished accepted = check_config(directory.write("valid.json", GetParam().text));
  EXPECT_EQ(accepted.status, 0) << accepted.err;
  EXPECT_EQ(accepted.err, "");
  EXPECT_THAT(accepted.out, HasSubstr("valid"));
}

INSTANTIATE_TEST_SUITE_P(
    Each, ValidConfigs,
    testing::Values(
        ValidConfig{"Nothing", "{}"},
        ValidConfig{"Comments", "// all of it\n{ // nothing yet\n  \"threads\": 2 // two\n}\n"},
        ValidConfig{"EmptySections",
                    R"({"channel":{},"buffer":{},"control":{},"satellites":{},"log":{}})"},
        ValidConfig{"SameKeyInDifferentListeners",
                    R"({"uplinks":[{"name":"a","listen":"127.0.0.1:1"},
                                   {"name":"b","listen":"[::1]:1"}]})"},
        ValidConfig{"TheContractsExample", R"({
  "uplinks": [
    { "name": "native", "listen": "127.0.0.1:7400", "framing": "length_prefixed",
      "max_sessions": 1024, "max_payload_bytes": 65536, "idle_timeout_s": 0,
      "when_channel_full": "backpressure" },
    { "name": "space-packets", "listen": "127.0.0.1:7401", "framing": "ccsds_space_packet",
      "satellite_id": 1 }
  ],
  "channel": { "capacity": 128 },
  "buffer":  { "max_frames": 1000000, "max_bytes": 268435456, "when_full": "drop_oldest" },
  "control": { "socket": "/run/meridian/control.sock", "mode": "0660", "max_clients": 64,
               "max_request_bytes": 65536 },
  "satellites": { "max_tracked": 65536 },
  "threads": 0,
  "log":     { "level": "info", "format": "text", "target": "stderr" }
})"}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(CheckConfig, AcceptsTheInstalledFile) {
  const Finished accepted = check_config(test::source_dir() / "config/meridiand.json");
  EXPECT_EQ(accepted.status, 0) << accepted.err;
}

TEST(CheckConfig, RefusesAFileThatIsNotThere) {
  const TempDir directory;
  const Finished refused = check_config(directory.file("missing.json"));
  EXPECT_EQ(refused.status, 78);
  EXPECT_THAT(refused.err, HasSubstr(directory.file("missing.json")));
}

TEST(CheckConfig, RefusesADirectory) {
  const TempDir directory;
  const Finished refused = check_config(directory.path());
  EXPECT_EQ(refused.status, 78);
  EXPECT_THAT(refused.err, HasSubstr(directory.path().string()));
}

TEST(CheckConfig, WarnsOfASecretThatAllCanRead) {
  if (std::string_view(test::run({test::meridiand, "--version"}).out).find("without NATS") !=
      std::string_view::npos) {
    GTEST_SKIP() << "there are no sinks in this build";
  }
  const TempDir directory;
  const std::string file = directory.write("meridiand.json", R"({
    "buffer": {"when_full": "backpressure"},
    "sinks": [{"servers": ["nats://user:secret@127.0.0.1"], "stream": "T"}]})");
  std::filesystem::permissions(file, std::filesystem::perms(0644));
  const Finished warned = check_config(file);
  EXPECT_EQ(warned.status, 0);
  EXPECT_THAT(warned.err, HasSubstr(file + " holds a password"));
  EXPECT_THAT(warned.err, testing::Not(HasSubstr("secret")));
  std::filesystem::permissions(file, std::filesystem::perms(0640));
  EXPECT_EQ(check_config(file).err, "");
}

TEST(CheckConfig, OpensNothing) {
  const TempDir directory;
  const std::string socket = directory.file("control.sock");
  const std::string file =
      directory.write("valid.json", R"({"control":{"socket":")" + socket + R"("}})");
  EXPECT_EQ(check_config(file).status, 0);
  EXPECT_FALSE(std::filesystem::exists(socket));
}

}  // namespace
}  // namespace meridian::test
