#include "http/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <sstream>
#include <string>
#include <utility>

namespace meridian::test {

using namespace http;

namespace {

using testing::HasSubstr;
using testing::Not;

/// The samples of a page: what stands before the value, and the value.
std::map<std::string, double> samples_of(const Scrape& scrape) {
  std::map<std::string, double> samples;
  std::istringstream text(encode_metrics(scrape));
  for (std::string line; std::getline(text, line);) {
    if (!line.starts_with('#')) {
      const std::size_t space = line.rfind(' ');
      EXPECT_TRUE(samples.emplace(line.substr(0, space), std::stod(line.substr(space + 1))).second)
          << "twice: " << line;
    }
  }
  return samples;
}

OriginStats origin(SatelliteId satellite_id, ChannelId channel_id, std::uint64_t frames) {
  OriginStats stats;
  stats.origin = Origin{satellite_id, channel_id};
  stats.frames = frames;
  return stats;
}

ConsumerStats consumer(std::string name) {
  ConsumerStats stats;
  stats.name = std::move(name);
  return stats;
}

TEST(Metrics, HaveEveryReasonFromTheStart) {
  const auto samples = samples_of({});
  for (const DropReason reason : all_drop_reasons) {
    EXPECT_EQ(samples.at("meridian_frames_dropped_total{reason=\"" + std::string(name_of(reason)) +
                         "\"}"),
              0);
  }
  for (const status::CloseReason reason : status::all_close_reasons) {
    EXPECT_EQ(samples.at("meridian_sessions_closed_total{reason=\"" + std::string(name_of(reason)) +
                         "\"}"),
              0);
  }
  for (const Malformed reason : all_malformed) {
    EXPECT_EQ(samples.at("meridian_streams_malformed_total{reason=\"" +
                         std::string(name_of(reason)) + "\"}"),
              0);
  }
  for (const runtime::FaultOf kind : runtime::all_fault_kinds) {
    EXPECT_EQ(samples.at("meridian_faults_total{of=\"" + std::string(name_of(kind)) + "\"}"), 0);
  }
  for (const status::CutOff reason : status::all_cut_offs) {
    EXPECT_EQ(samples.at("meridian_control_cut_off_total{reason=\"" + std::string(name_of(reason)) +
                         "\"}"),
              0);
  }
}

TEST(Metrics, HaveThePrefixOrTheNamesOfProcesses) {
  Scrape scrape;
  scrape.process.emplace();
  std::size_t of_the_process = 0;
  for (const auto& [name, value] : samples_of(scrape)) {
    of_the_process += name.starts_with("process_") ? 1 : 0;
    EXPECT_TRUE(name.starts_with("meridian_") || name.starts_with("process_")) << name;
  }
  EXPECT_EQ(of_the_process, 7U);
}

TEST(Metrics, TellTheLedger) {
  Scrape scrape;
  Ledger& ledger = scrape.stats.aggregator.ledger;
  ledger = {.received = 100,
            .buffered = 10,
            .leased = 5,
            .delivered = 7,
            .drained = 33,
            .flushed = 20,
            .dropped = {1, 2, 3, 14, 5}};
  scrape.stats.aggregator.buffer.now = {.frames = 10, .bytes = 640};
  const auto samples = samples_of(scrape);
  EXPECT_EQ(samples.at("meridian_frames_received_total"), 100);
  EXPECT_EQ(samples.at("meridian_frames_drained_total"), 33);
  EXPECT_EQ(samples.at("meridian_frames_delivered_total"), 7);
  EXPECT_EQ(samples.at("meridian_frames_leased"), 5);
  EXPECT_EQ(samples.at("meridian_frames_flushed_total"), 20);
  EXPECT_EQ(samples.at("meridian_frames_dropped_total{reason=\"channel_full\"}"), 3);
  EXPECT_EQ(samples.at("meridian_frames_dropped_total{reason=\"not_restored\"}"), 14);
  EXPECT_EQ(samples.at("meridian_frames_dropped_total{reason=\"lease_evicted\"}"), 5);
  EXPECT_EQ(samples.at("meridian_buffer_frames"), 10);
  EXPECT_EQ(samples.at("meridian_buffer_bytes"), 640);
}

TEST(Metrics, TellOfResetsAndOfStoredFrames) {
  Scrape scrape;
  OriginStats satellite = origin(7, 2, 100);
  satellite.resets = 3;
  StoredStats& stored = satellite.stored.emplace();
  stored.frames = 40;
  stored.sequences.missing = 5;
  scrape.satellites = {satellite, origin(8, 0, 1)};
  scrape.stats.aggregator.origins.jumps = 11;
  scrape.stats.aggregator.origins.resets = 12;
  const auto samples = samples_of(scrape);
  const std::string labels = "{satellite_id=\"7\",channel_id=\"2\"}";
  EXPECT_EQ(samples.at("meridian_satellite_resets_total" + labels), 3);
  EXPECT_EQ(samples.at("meridian_satellite_stored_frames_total" + labels), 40);
  EXPECT_EQ(samples.at("meridian_satellite_stored_missing_total" + labels), 5);
  EXPECT_EQ(samples.at("meridian_sequence_jumps_total"), 11);
  EXPECT_EQ(samples.at("meridian_sequence_resets_total"), 12);
  EXPECT_EQ(
      samples.at("meridian_satellite_stored_frames_total{satellite_id=\"8\",channel_id=\"0\"}"), 0);
}

TEST(Metrics, LeaveOutFramesThatAResetMayRevoke) {
  Scrape scrape;
  OriginStats satellite = origin(7, 2, 100);
  satellite.late = 9;
  satellite.jumps = 6;
  satellite.unsettled = {.next = 1, .late = 4, .jumps = 2};
  scrape.satellites = {satellite};
  const auto samples = samples_of(scrape);
  const std::string labels = "{satellite_id=\"7\",channel_id=\"2\"}";
  EXPECT_EQ(samples.at("meridian_satellite_late_total" + labels), 5);
  EXPECT_EQ(samples.at("meridian_satellite_jumps_total" + labels), 4);
}

TEST(Metrics, TellHowLeasesEnd) {
  Scrape scrape;
  scrape.stats.aggregator.leases = {.open = 2, .ended = {3, 4, 5, 6}};
  scrape.stats.aggregator.buffer.leased = {.frames = 20, .bytes = 1280};
  const auto samples = samples_of(scrape);
  EXPECT_EQ(samples.at("meridian_leases"), 2);
  EXPECT_EQ(samples.at("meridian_leased_bytes"), 1280);
  EXPECT_EQ(samples.at("meridian_leases_ended_total{reason=\"committed\"}"), 3);
  EXPECT_EQ(samples.at("meridian_leases_ended_total{reason=\"evicted\"}"), 6);
}

TEST(Metrics, TellWhatEachSinkDoes) {
  Scrape scrape;
  scrape.now = ReceiveTime(std::chrono::seconds(100));
  scrape.sinks = {{.name = "a",
                   .figures = {.server = "nats://127.0.0.1:4222",
                               .problem = {},
                               .unsafe = {},
                               .in_flight_messages = 1,
                               .in_flight_bytes = 2,
                               .acknowledged_messages = 3,
                               .duplicates = 4,
                               .retried = 5,
                               .refused = {{"stream_full", 6}, {"tls", 0}}}},
                  {.name = "b", .figures = {}}};
  // In another order than the sinks: they are told apart by name.
  auto& consumers = scrape.stats.aggregator.consumers;
  consumers = {consumer("b"), consumer("a")};
  consumers[1].lag = {.frames = 7, .bytes = 8};
  consumers[1].oldest = ReceiveTime(std::chrono::milliseconds(97'500));
  consumers[1].acknowledged = {.frames = 9, .bytes = 10};
  consumers[1].skipped = {11, 12, 13};
  const auto samples = samples_of(scrape);
  const std::map<std::string, double> expected{{"connected", 1},
                                               {"lag_frames", 7},
                                               {"lag_bytes", 8},
                                               {"lag_seconds", 2.5},
                                               {"in_flight_messages", 1},
                                               {"in_flight_bytes", 2},
                                               {"acknowledged_frames_total", 9},
                                               {"acknowledged_bytes_total", 10},
                                               {"acknowledged_messages_total", 3},
                                               {"duplicates_total", 4},
                                               {"retried_messages_total", 5}};
  for (const auto& [name, value] : expected) {
    EXPECT_EQ(samples.at("meridian_sink_" + name + "{sink=\"a\"}"), value) << name;
    EXPECT_EQ(samples.at("meridian_sink_" + name + "{sink=\"b\"}"), 0) << name;
  }
  EXPECT_EQ(samples.at("meridian_sink_refused_total{sink=\"a\",reason=\"stream_full\"}"), 6);
  EXPECT_EQ(samples.at("meridian_sink_refused_total{sink=\"a\",reason=\"tls\"}"), 0);
  const std::string skipped = "meridian_sink_skipped_frames_total{sink=\"a\",reason=\"";
  EXPECT_EQ(samples.at(skipped + "buffer_full\"}"), 11);
  EXPECT_EQ(samples.at(skipped + "drained\"}"), 12);
  EXPECT_EQ(samples.at(skipped + "flushed\"}"), 13);
}

TEST(Metrics, ShowNoLagForAClockSetBack) {
  Scrape scrape;
  scrape.sinks = {{.name = "a", .figures = {}}};
  scrape.stats.aggregator.consumers = {consumer("a")};
  scrape.stats.aggregator.consumers[0].oldest = ReceiveTime(std::chrono::seconds(1));
  EXPECT_EQ(samples_of(scrape).at("meridian_sink_lag_seconds{sink=\"a\"}"), 0);
}

TEST(Metrics, CountLentFramesAsDrainedOnceArrived) {
  Scrape scrape;
  scrape.stats.aggregator.ledger = {.received = 50, .buffered = 0, .drained = 50};
  scrape.stats.aggregator.buffer.lent = {.frames = 20, .bytes = 1280};
  const auto samples = samples_of(scrape);
  EXPECT_EQ(samples.at("meridian_frames_drained_total"), 30);
  EXPECT_EQ(samples.at("meridian_frames_lent"), 20);
}

TEST(Metrics, GiveDistributionsInSecondsAndFrames) {
  Scrape scrape;
  Arrivals& arrivals = scrape.stats.aggregator.arrivals;
  arrivals.latency_us.add(50);
  arrivals.latency_us.add(51);
  arrivals.latency_us.add(2'000'000'000);
  arrivals.batch_frames.add(4);
  const auto samples = samples_of(scrape);
  EXPECT_EQ(samples.at("meridian_ingest_latency_seconds_bucket{le=\"5e-05\"}"), 1);
  EXPECT_EQ(samples.at("meridian_ingest_latency_seconds_bucket{le=\"0.0001\"}"), 2);
  EXPECT_EQ(samples.at("meridian_ingest_latency_seconds_bucket{le=\"30\"}"), 2);
  EXPECT_EQ(samples.at("meridian_ingest_latency_seconds_bucket{le=\"+Inf\"}"), 3);
  EXPECT_EQ(samples.at("meridian_ingest_latency_seconds_count"), 3);
  EXPECT_NEAR(samples.at("meridian_ingest_latency_seconds_sum"), 2000.000101, 1e-6);
  EXPECT_EQ(samples.at("meridian_batch_frames_bucket{le=\"1\"}"), 0);
  EXPECT_EQ(samples.at("meridian_batch_frames_bucket{le=\"4\"}"), 1);
  EXPECT_EQ(samples.at("meridian_batch_frames_sum"), 4);
}

TEST(Metrics, SumSatellitesBeyondTheCapInOneSeries) {
  Scrape scrape;
  scrape.satellites = {origin(1, 0, 10), origin(2, 7, 20)};
  scrape.max_satellites = 2;
  scrape.stats.aggregator.origins.origins = 5;
  scrape.other_satellites.frames = 70;
  scrape.other_satellites.bytes = 6400;
  scrape.other_satellites.missing = 8;
  scrape.other_satellites.dropped = 9;
  const auto samples = samples_of(scrape);
  EXPECT_EQ(samples.at("meridian_satellite_frames_total{satellite_id=\"1\",channel_id=\"0\"}"), 10);
  EXPECT_EQ(samples.at("meridian_satellite_frames_total{satellite_id=\"2\",channel_id=\"7\"}"), 20);
  const std::string other = "{satellite_id=\"other\",channel_id=\"other\"}";
  EXPECT_EQ(samples.at("meridian_satellite_frames_total" + other), 70);
  EXPECT_EQ(samples.at("meridian_satellite_bytes_total" + other), 6400);
  EXPECT_EQ(samples.at("meridian_satellite_missing_total" + other), 8);
  EXPECT_EQ(samples.at("meridian_satellite_dropped_total" + other), 9);
  EXPECT_EQ(samples.at("meridian_satellites_beyond_cap"), 3);
}

TEST(Metrics, HaveNoSeriesForOthersWithoutAny) {
  Scrape scrape;
  scrape.satellites = {origin(1, 0, 10)};
  scrape.stats.aggregator.origins.origins = 1;
  EXPECT_THAT(encode_metrics(scrape), Not(HasSubstr("\"other\"")));
}

TEST(Metrics, SayWhenASatelliteWasLastHeard) {
  Scrape scrape;
  scrape.satellites = {origin(1, 0, 10)};
  scrape.satellites.front().last_seen_at = ReceiveTime(std::chrono::milliseconds(1'500));
  scrape.stats.aggregator.origins.origins = 1;
  EXPECT_EQ(samples_of(scrape).at("meridian_satellite_last_seen_timestamp_seconds"
                                  "{satellite_id=\"1\",channel_id=\"0\"}"),
            1.5);
}

}  // namespace
}  // namespace meridian::test
