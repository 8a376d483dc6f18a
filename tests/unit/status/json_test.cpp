#include "status/json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace meridian::test {

using namespace status;

namespace {

using std::chrono::microseconds;

ReceiveTime at(std::int64_t time_us) {
  return ReceiveTime(microseconds(time_us));
}

struct WrittenTime {
  const char* name;
  std::int64_t time_us;
  const char* text;
};
void PrintTo(const WrittenTime& time, std::ostream* out) {
  *out << time.name;
}

class WrittenTimes : public testing::TestWithParam<WrittenTime> {};

TEST_P(WrittenTimes, AreInUtcWithMicroseconds) {
  EXPECT_EQ(format_time(at(GetParam().time_us)), GetParam().text);
}

INSTANTIATE_TEST_SUITE_P(
    Each, WrittenTimes,
    testing::Values(WrittenTime{"Epoch", 0, "1970-01-01T00:00:00.000000Z"},
                    WrittenTime{"OneMicrosecond", 1, "1970-01-01T00:00:00.000001Z"},
                    WrittenTime{"LastMicrosecondOfASecond", 999'999, "1970-01-01T00:00:00.999999Z"},
                    WrittenTime{"BeforeTheEpoch", -1, "1969-12-31T23:59:59.999999Z"},
                    WrittenTime{"TheContractsExample", 1'795'402'187'000'000,
                                "2026-11-23T02:49:47.000000Z"},
                    WrittenTime{"LeapDay", 1'709'251'199'500'000, "2024-02-29T23:59:59.500000Z"},
                    WrittenTime{"After2038", 2'147'483'648'000'000, "2038-01-19T03:14:08.000000Z"}),
    [](const auto& each) { return std::string(each.param.name); });

// The texts below also fix the order of the fields, which is that of the contract.

TEST(StatusJson, TellsTheDepth) {
  EXPECT_EQ(to_json(Amount{.frames = 3, .bytes = 90}).dump(), R"({"frames":3,"bytes":90})");
}

TEST(StatusJson, TellsEveryStatistic) {
  const AggregatorStats stats{.ledger = {.received = 21,
                                         .buffered = 1,
                                         .leased = 45,
                                         .delivered = 53,
                                         .drained = 2,
                                         .flushed = 3,
                                         .dropped = {4, 5, 6, 0, 46, 54}},
                              .buffer = {.now = {.frames = 7, .bytes = 8},
                                         .high_water = {.frames = 9, .bytes = 10},
                                         .limits = {.max_frames = 11, .max_bytes = 12},
                                         .leased = {.frames = 45, .bytes = 47}},
                              .channel = {.length = 13, .capacity = 14, .high_water = 15},
                              .tails = {.watchers = 41, .lost = 42},
                              .leases = {.open = 48, .ended = {49, 50, 51, 52}}};
  const SessionCounts sessions{.open = 16,
                               .accepted = 17,
                               .closed = {18, 19, 20, 21, 22, 23, 24, 37, 57},
                               .malformed = {25, 26, 27, 28, 29, 55},
                               .truncated = 30,
                               .implausible = 56,
                               .idle_packets = 31};
  const ControlCounts control{.clients = 32, .accepted = 33, .cut_off = {34, 35, 36, 37, 38}};

  EXPECT_EQ(
      to_json({.aggregator = stats,
               .sessions = sessions,
               .control = control,
               .state = {.directory = "/state",
                         .restored = 38,
                         .not_restored = 39,
                         .damaged_bytes = 40,
                         .set_aside = std::nullopt},
               .faults = {58, 59, 60, 61},
               .uptime = std::chrono::milliseconds(37'250)})
          .dump(),
      R"({"ledger":{"received":21,"buffered":1,"leased":45,"delivered":53,"drained":2,"flushed":3,)"
      R"("dropped":{"buffer_full_oldest":4,"buffer_full_newest":5,"channel_full":6,"not_restored":0,)"
      R"("lease_evicted":46,"consumer_behind":54}},)"
      R"("buffer":{"frames":7,"bytes":8,"max_frames":11,"max_bytes":12,)"
      R"("frames_high_water":9,"bytes_high_water":10},)"
      R"("channel":{"length":13,"capacity":14,"high_water":15},)"
      R"("sessions":{"open":16,"accepted":17,"closed":{"end_of_stream":18,"truncated":19,)"
      R"("malformed":20,"idle_timeout":21,"connection_lost":22,"session_limit":23,"stopped":24,)"
      R"("listener_removed":37,"fault":57}},)"
      R"("malformed":{"length_too_small":25,"length_too_large":26,"reserved_flags":27,)"
      R"("packet_version":28,"packet_too_large":29,"sync_marker":55},"truncated":30,)"
      R"("implausible":56,"idle_packets":31,)"
      R"("control":{"clients":32,"accepted":33,"cut_off":{"request_too_long":34,)"
      R"("client_limit":35,"not_reading":36,"idle":37,"not_allowed":38}},)"
      R"("faults":{"uplink":58,"control":59,"http":60,"sink":61},)"
      R"("tails":{"watchers":41,"lost":42},)"
      R"("leases":{"open":48,"frames":45,"bytes":47,)"
      R"("ended":{"committed":49,"released":50,"expired":51,"evicted":52}},)"
      R"("state":{"directory":"/state","restored":38,"not_restored":39,"damaged_bytes":40,)"
      R"("set_aside":null},"uptime_s":37.25})");
}

TEST(StatusJson, HasAllReasonsFromTheStart) {
  const Json json = to_json(
      {.aggregator = {}, .sessions = {}, .control = {}, .state = {}, .faults = {}, .uptime = {}});
  for (const DropReason reason : all_drop_reasons) {
    EXPECT_EQ(json.at("ledger").at("dropped").at(std::string(name_of(reason))), 0);
  }
  EXPECT_EQ(json.at("sessions").at("closed").size(), all_close_reasons.size());
  EXPECT_EQ(json.at("malformed").size(), std::size(all_malformed));
  EXPECT_EQ(json.at("control").at("cut_off").size(), all_cut_offs.size());
}

}  // namespace
}  // namespace meridian::test
