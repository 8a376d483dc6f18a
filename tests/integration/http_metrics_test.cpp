// The HTTP server: what a scrape of /metrics tells.
#include "integration/http_fixture.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

namespace meridian::test {
namespace {

TEST_F(Http, StartOfTheProcessIsATime) {
  start_with_http();
  const double now =
      static_cast<double>(std::chrono::system_clock::to_time_t(std::chrono::system_clock::now()));
  EXPECT_NEAR(metric("process_start_time_seconds"), now, 60);
}

TEST_F(Http, MetricsEqualTheControlSocketsAfterALoad) {
  start_with_http({{"buffer", {{"max_frames", 1000}}}});
  const std::uint64_t each = scaled(50'000);
  ChildProcess sim({test::meridian_sim, "--connect", fmt::format("127.0.0.1:{}", daemon().port()),
                    "--uplinks", "4", "--frames", std::to_string(each)});
  std::map<std::string, double> before;
  while (sim.running()) {
    for (const auto& [name, value] : metrics_of(daemon())) {
      if (name.find("_total") != std::string::npos) {
        EXPECT_GE(value, before[name]) << name << " has fallen";
        before[name] = value;
      }
    }
  }
  ASSERT_EQ(sim.wait(test::at_most(std::chrono::seconds(60))), 0);
  std::ignore = daemon().connect().drain_binary({{"max_frames", 300}});
  const Json stats = daemon().call("stats");
  const std::map<std::string, double> samples = metrics_of(daemon());
  const Json& ledger = stats.at("ledger");
  EXPECT_EQ(samples.at("meridian_frames_received_total"), ledger.at("received"));
  EXPECT_EQ(samples.at("meridian_frames_received_total"), 4 * each);
  EXPECT_EQ(samples.at("meridian_frames_drained_total"), 300);
  EXPECT_EQ(samples.at("meridian_buffer_frames"), ledger.at("buffered"));
  for (const auto& [reason, frames] : ledger.at("dropped").items()) {
    EXPECT_EQ(samples.at("meridian_frames_dropped_total{reason=\"" + reason + "\"}"), frames);
  }
  EXPECT_EQ(samples.at("meridian_received_bytes_total"),
            daemon().call("satellites").at("satellites").at(0).at("bytes").get<double>() * 4);
  const double latencies = samples.at("meridian_ingest_latency_seconds_count");
  EXPECT_GT(latencies, 0);
  EXPECT_EQ(latencies, samples.at("meridian_batch_frames_count"));
  EXPECT_EQ(samples.at("meridian_batch_frames_sum"), 4 * each);
}

TEST_F(Http, PeaksAreTheSameForAllWhoAsk) {
  start_with_http();
  send_whole(daemon().port(), frames_of(1, 0, 100));
  std::ignore = daemon().call("flush");
  EXPECT_EQ(metric("meridian_buffer_peak_frames"), 100);
  EXPECT_EQ(metric("meridian_buffer_peak_frames"), 100) << "a second Prometheus";
  EXPECT_EQ(metric("meridian_buffer_peak_bytes"), 100 * 28) << "headers included";
  EXPECT_EQ(daemon().stat("/buffer/frames_high_water"), 100U) << "which is for good";
}

TEST_F(Http, LargeScrapesKeepNobodyWaiting) {
  start_with_http({{"http", {{"max_satellites", 65'536}}}});
  std::string octets;
  const auto satellites = static_cast<std::uint32_t>(scaled(60'000));
  for (std::uint32_t id = 0; id < satellites; ++id) {
    octets += encode(frames_of(id, 0, 1));
  }
  send_whole(daemon().port(), octets);
  std::atomic<bool> enough{false};
  std::vector<std::thread> scrapers;
  for (int i = 0; i < 4; ++i) {  // as each is encoded, the others ask the aggregator
    scrapers.emplace_back([this, &enough] {
      while (!enough) {
        std::ignore = get("/metrics");
      }
    });
  }
  std::vector<std::chrono::steady_clock::duration> waits;
  test::ControlClient control = daemon().connect();
  for (int i = 0; i < 100; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    std::ignore = control.call("depth");
    waits.push_back(std::chrono::steady_clock::now() - begin);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));  // a hundred samples of a second
  }
  enough = true;
  for (std::thread& scraper : scrapers) {
    scraper.join();
  }
  std::ranges::sort(waits);
  EXPECT_LT(waits.at(waits.size() / 2), test::at_most(std::chrono::milliseconds(10)));
  EXPECT_LT(waits.at(waits.size() * 9 / 10), test::at_most(std::chrono::milliseconds(50)));
}

TEST_F(Http, PromtoolHasNothingToSay) {
  start_with_http();
  send_whole(daemon().port(), frames_of(1, 0, 10));
  const std::string page = directory().write("metrics", get("/metrics").body);
  const test::Finished checked = test::run({"/bin/sh", "-c", "promtool check metrics < " + page});
  EXPECT_EQ(checked.status, 0);
  EXPECT_EQ(checked.out + checked.err, "");
}

TEST_F(Http, SatellitesBeyondTheCapAreSummed) {
  start_with_http({{"http", {{"max_satellites", 2}}}, {"satellites", {{"max_tracked", 4}}}});
  for (std::uint32_t id = 1; id <= 6; ++id) {
    send_whole(daemon().port(), frames_of(id, 0, id));
  }
  const auto samples = metrics_of(daemon());
  EXPECT_EQ(samples.at("meridian_satellite_frames_total{satellite_id=\"2\",channel_id=\"0\"}"), 2);
  EXPECT_FALSE(
      samples.contains("meridian_satellite_frames_total{satellite_id=\"3\",channel_id=\"0\"}"));
  EXPECT_EQ(
      samples.at("meridian_satellite_frames_total{satellite_id=\"other\",channel_id=\"other\"}"),
      3 + 4 + 5 + 6);
  EXPECT_EQ(samples.at("meridian_satellites_beyond_cap"), 2);
  EXPECT_EQ(samples.at("meridian_satellites_tracked"), 4);
  EXPECT_EQ(samples.at("meridian_satellites_max_tracked"), 4);
  EXPECT_EQ(samples.at("meridian_untracked_frames_total"), 5 + 6);
}

TEST_F(Http, NoCounterFallsWhereASatelliteIsForgotten) {
  start_with_http({{"http", {{"max_satellites", 2}}}});
  for (std::uint32_t id = 1; id <= 4; ++id) {
    send_whole(daemon().port(), frames_of(id, 0, 10 * id));
  }
  const std::string other =
      "meridian_satellite_frames_total{satellite_id=\"other\",channel_id=\"other\"}";
  EXPECT_EQ(metrics_of(daemon()).at(other), 30 + 40);
  std::ignore = daemon().call("forget", {{"satellite_id", 3}});
  std::ignore = daemon().call("forget", {{"satellite_id", 1}});
  const auto samples = metrics_of(daemon());
  EXPECT_EQ(samples.at(other), 30 + 40);
  EXPECT_FALSE(
      samples.contains("meridian_satellite_frames_total{satellite_id=\"1\",channel_id=\"0\"}"));
  EXPECT_EQ(samples.at("meridian_satellites_tracked"), 2);
  EXPECT_EQ(samples.at("meridian_satellites_max_tracked"), 65'536);
  EXPECT_EQ(samples.at("meridian_satellites_beyond_cap"), 1);
  send_whole(daemon().port(), frames_of(5, 0, 7));
  EXPECT_EQ(metrics_of(daemon()).at(
                "meridian_satellite_frames_total{satellite_id=\"5\",channel_id=\"0\"}"),
            7)
      << "it has the place of the first one";
  EXPECT_EQ(metrics_of(daemon()).at(other), 30 + 40);
}

}  // namespace
}  // namespace meridian::test
