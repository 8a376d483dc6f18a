#include "daemon/config_changes.hpp"

#include "daemon/read_config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <string>

namespace meridian::test {

using namespace daemon;

namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* some_listeners =
    R"("uplinks":[{"name":"a"},{"name":"b","listen":"[::1]:1"}])";

Config with(const std::string& more) {
  return parse_config("{" + more + "}");
}

TEST(ConfigChanges, AreNoneBetweenAConfigurationAndItself) {
  const ConfigChanges changes = changes_between(default_config(), default_config());
  EXPECT_THAT(changes.applied, IsEmpty());
  EXPECT_THAT(changes.needs_restart, IsEmpty());
}

struct ChangedKey {
  const char* path;
  const char* config;
  bool needs_restart = false;
};
void PrintTo(const ChangedKey& key, std::ostream* out) {
  *out << key.path;
}

class ChangedKeys : public testing::TestWithParam<ChangedKey> {};

TEST_P(ChangedKeys, AreNamedByTheirPath) {
  const ConfigChanges changes = changes_between(with(""), with(GetParam().config));
  if (GetParam().needs_restart) {
    EXPECT_THAT(changes.needs_restart, ElementsAre(GetParam().path));
    EXPECT_THAT(changes.applied, IsEmpty());
  } else {
    EXPECT_THAT(changes.applied, ElementsAre(GetParam().path));
    EXPECT_THAT(changes.needs_restart, IsEmpty());
  }
}

TEST_P(ChangedKeys, AreTakenOverUnlessTheyNeedARestart) {
  const Config now = with("");
  const Config next = with(GetParam().config);
  const Config applied = applicable(now, next);
  EXPECT_THAT(changes_between(applied, next).applied, IsEmpty());
  EXPECT_EQ(changes_between(applied, next).needs_restart.size(), GetParam().needs_restart ? 1U : 0U)
      << "it is told again at the next reload";
}

INSTANTIATE_TEST_SUITE_P(
    Each, ChangedKeys,
    testing::Values(
        ChangedKey{"buffer.max_frames", R"("buffer":{"max_frames":7})"},
        ChangedKey{"buffer.max_bytes", R"("buffer":{"max_bytes":7})"},
        ChangedKey{"buffer.when_full", R"("buffer":{"when_full":"drop_newest"})"},
        ChangedKey{"control.mode", R"("control":{"mode":"0600"})"},
        ChangedKey{"control.group", R"("control":{"group":"root"})"},
        ChangedKey{"control.read_only_group", R"("control":{"read_only_group":"root"})"},
        ChangedKey{"control.max_clients", R"("control":{"max_clients":7})"},
        ChangedKey{"control.max_request_bytes", R"("control":{"max_request_bytes":700})"},
        ChangedKey{"control.idle_timeout_s", R"("control":{"idle_timeout_s":7})"},
        ChangedKey{"satellites.max_tracked", R"("satellites":{"max_tracked":7})"},
        ChangedKey{"satellites.forget_after_s", R"("satellites":{"forget_after_s":7})"},
        ChangedKey{"satellites.reset_after_frames", R"("satellites":{"reset_after_frames":7})"},
        ChangedKey{"log.level", R"("log":{"level":"debug"})"},
        ChangedKey{"log.format", R"("log":{"format":"json"})"},
        ChangedKey{"log.target", R"("log":{"target":"stdout"})"},
        ChangedKey{"channel.capacity", R"("channel":{"capacity":7})", true},
        ChangedKey{"control.socket", R"("control":{"socket":"/tmp/x"})", true},
        ChangedKey{"satellites.silent_after_s", R"("satellites":{"silent_after_s":1})", false},
        ChangedKey{"http.listen", R"("http":{"listen":"127.0.0.1:1"})", true},
        ChangedKey{"http.names", R"("http":{"names":["a.example"]})", true},
        ChangedKey{"http.max_clients", R"("http":{"max_clients":1})", true},
        ChangedKey{"http.timeout_s", R"("http":{"timeout_s":1})", true},
        ChangedKey{"http.max_event_streams", R"("http":{"max_event_streams":1})", true},
        ChangedKey{"http.event_stream_s", R"("http":{"event_stream_s":1})", true},
        ChangedKey{"http.max_satellites", R"("http":{"max_satellites":1})", true},
        ChangedKey{"state.directory", R"("state":{"directory":"/tmp/x"})", true},
        ChangedKey{"state.when_unreadable", R"("state":{"when_unreadable":"set_aside"})", true},
        ChangedKey{"threads", R"("threads":7)", true}));

TEST(ListenerChanges, TellWhoComesAndGoes) {
  const Config now = with(some_listeners);
  EXPECT_THAT(
      changes_between(now, with(R"("uplinks":[{"name":"a"},{"name":"c","listen":"[::1]:1"}])"))
          .applied,
      ElementsAre(R"(uplinks[1] ("b", removed))", R"(uplinks[1] ("c", added))"));
}

TEST(ListenerChanges, DoNotDependOnTheOrder) {
  EXPECT_THAT(changes_between(with(some_listeners),
                              with(R"("uplinks":[{"name":"b","listen":"[::1]:1"},{"name":"a"}])"))
                  .applied,
              IsEmpty());
}

TEST(ListenerChanges, NameEveryKey) {
  const Config next = with(
      R"("uplinks":[{"name":"a","listen":"127.0.0.1:9","framing":"ccsds_space_packet",
         "satellite_id":3,"max_sessions":4,"max_payload_bytes":50,"idle_timeout_s":6,
         "peer_timeout_s":7,
         "when_channel_full":"drop"},{"name":"b","listen":"[::1]:1"}])");
  EXPECT_THAT(changes_between(with(some_listeners), next).applied,
              ElementsAre(R"(uplinks[0].listen)", R"(uplinks[0].framing)",
                          R"(uplinks[0].satellite_id)", R"(uplinks[0].max_sessions)",
                          R"(uplinks[0].max_payload_bytes)", R"(uplinks[0].idle_timeout_s)",
                          R"(uplinks[0].peer_timeout_s)", R"(uplinks[0].when_channel_full)"));
}

}  // namespace
}  // namespace meridian::test
