// Every counter of /metrics that stands for a loss: made to happen, and counted once.
#include "integration/harness/bound_socket.hpp"
#include "integration/harness/http_client.hpp"
#include "integration/harness/saved_state.hpp"
#include "status/version.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cctype>
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <ostream>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace meridian::test {
namespace {

using Samples = std::map<std::string, double>;

class LossMetrics : public StateTest {
 public:
  void start_with(const Json& changes) {
    Json all = {{"http", {{"listen", "127.0.0.1:0"}, {"timeout_s", 1}}}};
    all.merge_patch(changes);
    start(all);
  }
  using StateTest::daemon;
  using StateTest::directory;
  using StateTest::saved;
  using StateTest::send_as_batch;
  using StateTest::stop;
};

struct Loss {
  std::string metric;
  Json config;
  /// Makes it happen; returns how much there is to be counted.
  std::function<double(LossMetrics&)> happen;
};
void PrintTo(const Loss& loss, std::ostream* out) {
  *out << loss.metric;
}

double send_octets(LossMetrics& test, std::string_view octets,
                   std::string_view listener = "native") {
  UplinkClient uplink(test.daemon().port(listener));
  uplink.send(octets);
  uplink.socket().half_close();
  uplink.socket().wait_closed();
  return 1;
}

/// 16 octets and a payload of 1, with the length and the flags given.
std::string native_frame(char length, char flags) {
  std::string octets = encode(frames_of(1, 0, 1, 1));
  octets[3] = length;
  octets[11] = flags;
  return octets;
}

std::string reason(std::string_view family, std::string_view reason) {
  return std::string(family) + "{reason=\"" + std::string(reason) + "\"}";
}

Json full_buffer(const char* policy) {
  return {{"buffer", {{"max_frames", 10}, {"when_full", policy}}}};
}

double overfill(LossMetrics& test) {
  send_whole(test.daemon().port(), frames_of(1, 0, 17));
  return 7;
}

double evict_lease(LossMetrics& test) {
  send_whole(test.daemon().port(), frames_of(1, 0, 10));
  ControlClient client = test.daemon().connect();
  std::ignore = client.call("drain", {{"lease_s", 600}});
  send_whole(test.daemon().port(), frames_of(1, 10, 1));
  EXPECT_TRUE(eventually([&] { return test.daemon().stat("/ledger/received") == 11; }));
  return 10;
}

double fill_channel(LossMetrics& test) {
  constexpr std::uint64_t batch = 10;
  UplinkClient uplink(test.daemon().port());
  for (std::uint64_t begin = 0; begin < 300; begin += batch) {
    test.send_as_batch(uplink, frames_of(1, begin, batch));
  }
  uplink.finish();
  // What is not in the buffer, or waits for it, was given up by the session.
  return static_cast<double>(300 - test.daemon().connect().drain_all().size());
}

/// A sink that skips, and whose server is not there.
Json sink_that_skips() {
  static const auto nobody = test::BoundSocket::reserved_port();
  return {{"name", "s"},
          {"servers", {"nats://" + nobody.address()}},
          {"stream", "S"},
          {"batch_max_bytes", 1024},
          {"max_in_flight_bytes", 1024},
          {"when_behind", "skip_oldest"}};
}

double fall_behind(LossMetrics& test) {
  // Of more than 4 KiB, so that each batch stays one: the sink reads no more than the first ones.
  UplinkClient uplink(test.daemon().port());
  for (std::uint64_t begin = 0; begin < 300; begin += 10) {
    test.send_as_batch(uplink, frames_of(1, begin, 10, 500));
  }
  uplink.finish();
  return static_cast<double>(300 - test.daemon().stat("/ledger/buffered"));
}

double damage_saved_state(LossMetrics& test) {
  send_whole(test.daemon().port(), frames_of(1, 0, 50));
  const Json config = Json::parse(read_file(test.directory().path() / "meridiand.json"));
  test.stop();
  const std::string whole = read_file(test.saved());
  std::filesystem::resize_file(test.saved(), whole.size() / 2);
  test.start_with(config);
  return static_cast<double>(50 - test.daemon().connect().drain_all().size());
}

double send_sequences(LossMetrics& test, const std::vector<std::uint64_t>& sequences,
                      double count) {
  std::string octets;
  for (const std::uint64_t sequence : sequences) {
    octets += encode(frames_of(1, sequence, 1));
  }
  send_whole(test.daemon().port(), octets);
  return count;
}

double send_long_request(LossMetrics& test) {
  ControlClient client = test.daemon().connect();
  client.send(std::string(200, ' '));
  client.socket().wait_closed();
  return 1;
}

double connect_once_too_often(LossMetrics& test) {
  // The client that saw the daemon start is to be gone first.
  EXPECT_TRUE(
      eventually([&] { return metrics_of(test.daemon()).at("meridian_control_clients") == 0; }));
  ControlClient first = test.daemon().connect();
  std::ignore = first.call("depth");
  ControlClient second = test.daemon().connect();
  second.socket().wait_closed();
  return 1;
}

double ask_without_reading(LossMetrics& test) {
  send_whole(test.daemon().port(), frames_of(1, 0, 20'000, 100));
  ControlClient client = test.daemon().connect();
  client.send_line(rpc("drain", {{"max_frames", 1'000'000}, {"format", "binary"}}));
  EXPECT_TRUE(eventually([&] { return test.daemon().stat("/control/cut_off/not_reading") == 1; },
                         test::at_most(std::chrono::seconds(60))));
  return 1;
}

double ask_for_nothing(LossMetrics& test) {
  test.daemon().connect().socket().wait_closed();
  return 1;
}

double say_nothing_to_http(LossMetrics& test) {
  HttpClient(http_port(test.daemon())).socket().wait_closed();
  return 1;
}

double watch_without_reading(LossMetrics& test) {
  ControlClient client = test.daemon().connect();
  client.send_line(rpc("tail", {{"format", "binary"}}));
  std::ignore = client.read_json();
  constexpr std::size_t each = 10'000;
  constexpr std::size_t times = 20;
  for (std::size_t i = 0; i < times; ++i) {
    send_whole(test.daemon().port(), frames_of(1, i * each, each, 100));
  }
  double shown = 0;
  double lost = 0;
  while (shown + lost < each * times) {
    const Json params = client.read_json().at("params");
    std::ignore = client.read_octets(params.at("bytes").get<std::size_t>());
    shown += params.at("frames").get<double>();
    lost += params.at("lost").get<double>();
  }
  return lost;
}

const std::string malformed = "meridian_streams_malformed_total";
const std::string dropped = "meridian_frames_dropped_total";
const std::string cut_off = "meridian_control_cut_off_total";

const std::vector<Loss>& losses() {
  static const std::vector<Loss> all{
      {reason(dropped, "buffer_full_oldest"), full_buffer("drop_oldest"), overfill},
      {reason(dropped, "buffer_full_newest"), full_buffer("drop_newest"), overfill},
      {reason(dropped, "channel_full"),
       {{"uplinks", {native_listener({{"when_channel_full", "drop"}}), packet_listener()}},
        {"buffer", {{"max_frames", 100}, {"when_full", "backpressure"}}},
        {"channel", {{"capacity", 2}}}},
       fill_channel},
      {reason(dropped, "consumer_behind"),
       {{"buffer", {{"max_frames", 100}, {"when_full", "backpressure"}}},
        {"sinks", Json::array({sink_that_skips()})}},
       fall_behind},
      {reason(dropped, "lease_evicted"), full_buffer("drop_oldest"), evict_lease},
      {reason(dropped, "not_restored"), Json::object(), damage_saved_state},
      {reason(malformed, "length_too_small"), Json::object(),
       [](LossMetrics& test) { return send_octets(test, native_frame(15, 0)); }},
      {reason(malformed, "length_too_large"),
       {{"uplinks", {native_listener({{"max_payload_bytes", 10}}), packet_listener()}}},
       [](LossMetrics& test) { return send_octets(test, native_frame(27, 0)); }},
      {reason(malformed, "reserved_flags"), Json::object(),
       [](LossMetrics& test) { return send_octets(test, native_frame(17, 2)); }},
      {reason(malformed, "packet_version"), Json::object(),
       [](LossMetrics& test) {
         return send_octets(test, encode(SpacePacket{.apid = 1, .version = 1}), "packets");
       }},
      {reason(malformed, "packet_too_large"),
       {{"uplinks", {native_listener(), packet_listener({{"max_payload_bytes", 8}})}}},
       [](LossMetrics& test) {
         return send_octets(test, encode(SpacePacket{.apid = 1, .data = "long"}), "packets");
       }},
      {reason(malformed, "sync_marker"), Json::object(),
       [](LossMetrics& test) { return send_octets(test, "\x1A\xCF\xFC\x1D....", "packets"); }},
      {"meridian_streams_implausible_total", Json::object(),
       [](LossMetrics& test) { return send_octets(test, std::string(7 * 20, '\0'), "packets"); }},
      {"meridian_streams_truncated_total", Json::object(),
       [](LossMetrics& test) {
         return send_octets(test, encode(frames_of(1, 0, 1)).substr(0, 25));
       }},
      {"meridian_sequence_gaps_total", Json::object(),
       [](LossMetrics& test) { return send_sequences(test, {0, 1, 5, 6}, 1); }},
      {"meridian_sequence_missing_total", Json::object(),
       [](LossMetrics& test) { return send_sequences(test, {0, 1, 5, 6}, 3); }},
      {"meridian_sequence_duplicates_total", Json::object(),
       [](LossMetrics& test) { return send_sequences(test, {0, 1, 1, 2}, 1); }},
      {"meridian_sequence_late_total", Json::object(),
       [](LossMetrics& test) { return send_sequences(test, {5, 6, 3, 7}, 1); }},
      {"meridian_sequence_jumps_total", Json::object(),
       [](LossMetrics& test) {
         return send_sequences(test, {5, 6, std::uint64_t{5} << 60U, 7}, 1);
       }},
      {"meridian_sequence_resets_total", Json::object(),
       [](LossMetrics& test) { return send_sequences(test, {900, 0, 1, 2, 3, 4, 5, 6, 7, 8}, 1); }},
      {reason(cut_off, "request_too_long"),
       {{"control", {{"max_request_bytes", 100}}}},
       send_long_request},
      {reason(cut_off, "client_limit"),
       {{"control", {{"max_clients", 1}}}},
       connect_once_too_often},
      {reason(cut_off, "not_reading"), Json::object(), ask_without_reading},
      {reason(cut_off, "idle"), {{"control", {{"idle_timeout_s", 1}}}}, ask_for_nothing},
      {"meridian_http_timed_out_total", Json::object(), say_nothing_to_http},
      {"meridian_tail_lost_frames_total", Json::object(), watch_without_reading},
  };
  return all;
}

class EveryLoss : public LossMetrics, public testing::WithParamInterface<Loss> {};

TEST_P(EveryLoss, IsCountedOnce) {
  if (GetParam().config.contains("sinks") && !status::with_nats) {
    GTEST_SKIP() << "this build has no NATS, and so no sinks";
  }
  start_with(GetParam().config);
  EXPECT_EQ(metrics_of(daemon()).at(GetParam().metric), 0) << "there from the start";
  const double count = GetParam().happen(*this);
  EXPECT_GT(count, 0);
  Samples after;
  // With one client allowed, the one before may still be leaving.
  ASSERT_TRUE(eventually([&] {
    try {
      after = metrics_of(daemon());
    } catch (const std::exception&) {
      return false;
    }
    return after.contains(GetParam().metric);
  }));
  EXPECT_EQ(after.at(GetParam().metric), count);
  for (const auto& [metric, value] : after) {
    if (metric.starts_with(dropped) || metric.starts_with(malformed) ||
        metric.starts_with(cut_off)) {
      EXPECT_EQ(value, metric == GetParam().metric ? count : 0) << metric;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Each, EveryLoss, testing::ValuesIn(losses()), [](const auto& each) {
  std::string name;
  for (const char letter : each.param.metric.substr(std::string_view("meridian_").size())) {
    name += std::isalnum(static_cast<unsigned char>(letter)) != 0 ? letter : '_';
  }
  return name;
});

TEST_F(LossMetrics, AreAllMadeToHappenHere) {
  start_with(Json::object());
  // Http.ClientsBeyondTheLimitAreRefused: whoever looks is a client, too. What a sink was refused
  // is not lost, and what it skipped is counted for itself: sink_refused_test, sink_behind_test.
  // Lines of the log: LogWriter. Clients of other users: ControlRoles.
  std::set<std::string> tested{"meridian_http_refused_total", "meridian_log_lines_lost_total",
                               reason(cut_off, "not_allowed")};
  for (const Loss& loss : losses()) {
    tested.insert(loss.metric);
  }
  for (const auto& [metric, value] : metrics_of(daemon())) {
    for (const std::string_view loss :
         {"_dropped_total{reason", "_malformed_", "_truncated_", "_gaps_", "_missing_",
          "_duplicates_", "_late_", "_cut_off_", "_refused_", "_timed_out_", "_lost_"}) {
      const bool is_loss =
          metric.find(loss) != std::string::npos && !metric.starts_with("meridian_sessions_");
      EXPECT_TRUE(!is_loss || tested.contains(metric)) << metric;
    }
  }
}

}  // namespace
}  // namespace meridian::test
