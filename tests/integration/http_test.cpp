// The HTTP server: what it tells, to whom, and within which limits.
#include "integration/harness/bound_socket.hpp"
#include "integration/harness/daemon.hpp"
#include "integration/harness/http_client.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
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

using testing::HasSubstr;

class Http : public DaemonTest {
 protected:
  void start_with_http(const Json& changes = Json::object()) {
    Json all = {{"http", {{"listen", "127.0.0.1:0"}}}};
    all.merge_patch(changes);
    start(all);
  }

  /// A figure of /metrics.
  double metric(const std::string& name) { return metrics_of(daemon()).at(name); }

  HttpAnswer get(std::string_view target) { return http_get(daemon(), target); }
};

TEST_F(Http, IsOffUnlessItIsConfigured) {
  start();
  EXPECT_FALSE(daemon().logged("HTTP"));
}

TEST_F(Http, AddressThatIsTakenIsAnErrorOfTheStart) {
  const BoundSocket other = BoundSocket::listening_port();
  const std::string file = directory().write(
      "meridiand.json", config_in(directory(), {{"http", {{"listen", other.address()}}}}).dump());
  ChildProcess daemon = test::spawn_daemon(file);
  EXPECT_EQ(daemon.wait(test::at_most(std::chrono::seconds(10))), 1);
  EXPECT_THAT(daemon.err(), HasSubstr("http.listen: cannot listen on " + other.address()));
}

TEST_F(Http, ApiAnswersAsTheControlSocketDoes) {
  start_with_http();
  send_whole(daemon().port(), frames_of(7, 0, 5));
  const HttpAnswer stats = get("/api/v1/stats");
  EXPECT_EQ(stats.status, 200);
  EXPECT_EQ(stats.headers.at("content-type"), "application/json");
  Json expected = daemon().call("stats");
  Json found = Json::parse(stats.body);
  for (Json* const each : {&expected, &found}) {
    each->erase("uptime_s");
    each->erase("control");  // the question itself counts
  }
  EXPECT_EQ(found, expected);
  EXPECT_EQ(Json::parse(get("/api/v1/satellites").body), daemon().call("satellites"));
  EXPECT_EQ(Json::parse(get("/api/v1/uplinks").body), daemon().call("uplinks"));
}

TEST_F(Http, LongListsComeWhole) {
  start_with_http();
  std::string octets;
  for (std::uint32_t id = 0; id < 3'000; ++id) {
    octets += encode(frames_of(id, 0, 1));
  }
  send_whole(daemon().port(), octets);
  const Json expected = daemon().call("satellites");
  ASSERT_EQ(expected.at("satellites").size(), 3'000U);
  EXPECT_EQ(Json::parse(get("/api/v1/satellites").body), expected);
  HttpClient old(http_port(daemon()));
  old.socket().send("GET /api/v1/satellites HTTP/1.0\r\n\r\n");
  const std::string answer = old.socket().read_to_end();
  EXPECT_EQ(Json::parse(answer.substr(answer.find("\r\n\r\n"))), expected) << "without chunks";
}

TEST_F(Http, OneConnectionTakesManyRequests) {
  start_with_http();
  HttpClient client(http_port(daemon()));
  for (const char* target : {"/metrics", "/api/v1/satellites", "/healthz", "/nowhere", "/readyz"}) {
    EXPECT_EQ(client.request("GET", target).status,
              std::string_view(target) == "/nowhere" ? 404 : 200)
        << target;
  }
  EXPECT_EQ(metric("meridian_http_accepted_total"), 2) << "with the one that asks";
}

TEST_F(Http, HeadHasTheSameHeadAndNoBody) {
  start_with_http();
  HttpClient client(http_port(daemon()));
  const HttpAnswer head = client.request("HEAD", "/readyz");
  EXPECT_EQ(head.status, 200);
  const HttpAnswer whole = client.request("GET", "/readyz");
  EXPECT_EQ(head.headers, whole.headers);
  EXPECT_EQ(client.request("HEAD", "/api/v1/satellites").status, 200);
  EXPECT_EQ(client.request("GET", "/healthz").status, 200) << "nothing was left over";
}

TEST_F(Http, ChangesNothing) {
  start_with_http();
  for (const char* method : {"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"}) {
    HttpClient client(http_port(daemon()));
    const HttpAnswer answer = client.request(method, "/metrics");
    EXPECT_EQ(answer.status, 405) << method;
    EXPECT_EQ(answer.headers.at("allow"), "GET, HEAD");
  }
}

struct Unfit {
  const char* name;
  std::string request;
  int status;
};
void PrintTo(const Unfit& unfit, std::ostream* out) {
  *out << unfit.name;
}
class UnfitRequests : public Http, public testing::WithParamInterface<Unfit> {};

TEST_P(UnfitRequests, GetAnErrorAndTheEnd) {
  start_with_http();
  HttpClient client(http_port(daemon()));
  client.socket().send(GetParam().request);
  EXPECT_EQ(client.read_answer().status, GetParam().status);
  client.socket().wait_closed();
  EXPECT_EQ(get("/healthz").status, 200);
}

INSTANTIATE_TEST_SUITE_P(
    Each, UnfitRequests,
    testing::Values(
        Unfit{"NotHttp", "\x16\x03\x01\x02garbage\r\n\r\n", 400},
        Unfit{"WithBody", "GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", 413},
        Unfit{"WithChunks",
              "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 413},
        Unfit{"WithAnotherEncoding", "GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
              413},
        Unfit{"WithoutHost", "GET /healthz HTTP/1.1\r\n\r\n", 400},
        Unfit{"WithTwoHosts", "GET /healthz HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400},
        Unfit{"TooLong", "GET /" + std::string(10'000, 'x') + " HTTP/1.1\r\n\r\n", 431},
        Unfit{"ManyHeaders",
              [] {
                std::string text = "GET / HTTP/1.1\r\n";
                for (int i = 0; i < 1'000; ++i) {
                  text += "X-" + std::to_string(i) + ": y\r\n";
                }
                return text + "\r\n";
              }(),
              431}),
    [](const auto& each) { return std::string(each.param.name); });

struct Asked {
  const char* name;
  const char* host;
  int status;
  const char* target = "/healthz";
};
void PrintTo(const Asked& asked, std::ostream* out) {
  *out << asked.name;
}
class Hosts : public Http, public testing::WithParamInterface<Asked> {};

TEST_P(Hosts, AreThoseOfTheServerOrRefused) {
  start_with_http({{"http", {{"names", {"meridian.example", "[2001:db8::7]"}}}}});
  HttpClient client(http_port(daemon()));
  client.socket().send(
      fmt::format("GET {} HTTP/1.1\r\nHost:{}\r\n\r\n", GetParam().target, GetParam().host));
  EXPECT_EQ(client.read_answer().status, GetParam().status);
}

INSTANTIATE_TEST_SUITE_P(
    Each, Hosts,
    testing::Values(Asked{"Address", " 127.0.0.1", 200},
                    Asked{"AddressAndPort", " 127.0.0.1:7480", 200},
                    Asked{"OtherLoopback", " [::1]:7480", 200},
                    Asked{"LocalhostInCapitals", " LocalHost:1", 200},
                    Asked{"NameOfTheConfiguration", " Meridian.Example.:443", 200},
                    Asked{"AddressOfTheConfiguration", " [2001:db8::7]", 200},
                    Asked{"OtherName", " rebound.example", 421},
                    Asked{"OtherNameOnAPage", " rebound.example", 421, "/"},
                    Asked{"OtherNameForFigures", " rebound.example:7480", 421, "/metrics"},
                    Asked{"NameThatBeginsAlike", " meridian.example.evil.example", 421},
                    Asked{"OtherAddress", " 192.0.2.1", 421}, Asked{"AnyAddress", " 0.0.0.0", 421},
                    Asked{"WholeAddressOfAnother", " localhost", 421, "http://evil.example/"},
                    Asked{"WholeAddress", " localhost", 200, "http://127.0.0.1:1/healthz"},
                    Asked{"Empty", "", 400}, Asked{"PortAlone", " :80", 400},
                    Asked{"Blank", " a b", 400}, Asked{"NoPort", " localhost:x", 400},
                    Asked{"LargePort", " localhost:65536", 400},
                    Asked{"User", " user@localhost", 400}, Asked{"Path", " localhost/x", 400},
                    Asked{"List", " localhost, localhost", 400}, Asked{"NoAddress", " [::1", 400}),
    [](const auto& each) { return std::string(each.param.name); });

TEST_F(Http, ClientsBeyondTheLimitAreRefused) {
  start_with_http({{"http", {{"max_clients", 2}}}});
  HttpClient first(http_port(daemon()));
  HttpClient second(http_port(daemon()));
  EXPECT_EQ(first.request("GET", "/healthz").status, 200);
  EXPECT_EQ(second.request("GET", "/healthz").status, 200);
  HttpClient third(http_port(daemon()));
  const HttpAnswer refused = third.request("GET", "/api/v1/stats");
  EXPECT_EQ(refused.status, 503);
  EXPECT_THAT(refused.body, HasSubstr("http.max_clients"));
  EXPECT_EQ(third.socket().wait_closed(), "");
  EXPECT_TRUE(test::eventually([&] {
    const HttpAnswer metrics = first.request("GET", "/metrics");
    return metrics.body.find("meridian_http_refused_total 1\n") != std::string::npos &&
           metrics.body.find("meridian_http_clients 2\n") != std::string::npos;
  }));
}

TEST_F(Http, ProbesAndScrapesAreAnsweredHoweverManyClientsThereAre) {
  start_with_http({{"http", {{"max_clients", 3}, {"timeout_s", 60}}}});
  std::vector<HttpClient> watchers;
  for (int i = 0; i < 3; ++i) {
    watchers.emplace_back(http_port(daemon()))
        .socket()
        .send("GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_EQ(watchers.back().read_answer(false).status, 200);
  }
  for (int i = 0; i < 20; ++i) {  // one after the other: each gives its place back
    for (const char* target : {"/healthz", "/readyz", "/metrics"}) {
      EXPECT_EQ(get(target).status, 200) << target;
    }
  }
  EXPECT_EQ(get("/").status, 503);
}

TEST_F(Http, WhoTakesAReservedPlaceAndSaysNothingGivesItBackSoon) {
  start_with_http({{"http", {{"max_clients", 1}, {"timeout_s", 600}}}});
  HttpClient first(http_port(daemon()));
  EXPECT_EQ(first.request("GET", "/healthz").status, 200);
  std::vector<HttpClient> silent;
  for (int i = 0; i < 8; ++i) {
    silent.emplace_back(http_port(daemon()));
  }
  for (HttpClient& each : silent) {
    EXPECT_EQ(each.socket().wait_closed(), "");
  }
  EXPECT_EQ(get("/healthz").status, 200);
}

TEST_F(Http, ProbesAreAnsweredHoweverManyConnectionsSayNothing) {
  start_with_http({{"http", {{"max_clients", 4}, {"timeout_s", 600}}}});
  HttpClient kept(http_port(daemon()));
  EXPECT_EQ(kept.request("GET", "/healthz").status, 200);
  std::vector<HttpClient> silent;
  for (int i = 0; i < 4 + 8 + 10; ++i) {  // more than all places
    silent.emplace_back(http_port(daemon()));
  }
  silent.back().socket().send("GET /readyz HTTP/1.1\r\nHo");  // is no whole request either
  const auto begun = std::chrono::steady_clock::now();
  for (const char* target : {"/readyz", "/healthz", "/metrics"}) {
    EXPECT_EQ(get(target).status, 200) << target;
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begun, test::at_most(std::chrono::seconds(1)))
      << "nobody has had to wait for a timeout";
  EXPECT_EQ(silent.front().socket().wait_closed(), "") << "it has waited longest";
  EXPECT_EQ(kept.request("GET", "/healthz").status, 200) << "who has asked stays";
  EXPECT_GE(metric("meridian_http_refused_total"), 11);
}

TEST_F(Http, StreamsOfEventsHavePlacesOfTheirOwnAndEnd) {
  start_with_http({{"http", {{"max_event_streams", 1}, {"event_stream_s", 3}}}});
  const std::string ask = "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n";
  HttpClient first(http_port(daemon()));
  first.socket().send(ask);
  EXPECT_EQ(first.read_answer(false).status, 200);
  HttpClient second(http_port(daemon()));
  second.socket().send(ask);
  const HttpAnswer refused = second.read_answer();
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.headers.at("retry-after"), "5");
  EXPECT_THAT(refused.body, HasSubstr("http.max_event_streams"));
  EXPECT_EQ(get("/").status, 200) << "there are places for others";
  EXPECT_THAT(first.socket().read_to_end(), HasSubstr("event: snapshot"))
      << "it ends in order, and a browser opens another one";
  EXPECT_TRUE(test::eventually([&] {
    HttpClient third(http_port(daemon()));
    third.socket().send(ask);
    return third.read_answer(false).status == 200;
  }));
}

TEST_F(Http, SlowClientsAreCutOff) {
  start_with_http({{"http", {{"timeout_s", 1}}}});
  HttpClient silent(http_port(daemon()));
  HttpClient slow(http_port(daemon()));
  slow.socket().send("GET /metrics HTTP/1.1\r\nHo");
  EXPECT_EQ(silent.socket().wait_closed(), "");
  EXPECT_EQ(slow.socket().wait_closed(), "");
  EXPECT_EQ(metric("meridian_http_timed_out_total"), 2);
}

TEST_F(Http, ConnectionsThatAreKeptForNothingAreClosedAndNotCounted) {
  start_with_http({{"http", {{"timeout_s", 1}}}});
  HttpClient kept(http_port(daemon()));
  EXPECT_EQ(kept.request("GET", "/healthz").status, 200);
  EXPECT_EQ(kept.socket().wait_closed(), "");
  EXPECT_EQ(metric("meridian_http_timed_out_total"), 0);
}

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

TEST_F(Http, ReadinessFailsWhereFramesAreDroppedForWantOfRoom) {
  start_with_http({{"buffer", {{"max_frames", 10}, {"when_full", "drop_oldest"}}}});
  EXPECT_EQ(Json::parse(get("/readyz").body).at("reason"), "serving");
  send_whole(daemon().port(), frames_of(1, 0, 20));
  const HttpAnswer full = get("/readyz");
  EXPECT_EQ(full.status, 503);
  EXPECT_EQ(Json::parse(full.body).at("reason"), "buffer_full");
  std::ignore = daemon().call("flush");
  EXPECT_EQ(get("/readyz").status, 200);
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

TEST_F(Http, KeysNeedARestart) {
  start_with_http();
  const Json answer = reload({{"http", {{"listen", "127.0.0.1:1"}, {"max_clients", 3}}}});
  EXPECT_EQ(answer.at("needs_restart"), (Json{"http.listen", "http.max_clients"}));
  EXPECT_EQ(get("/healthz").status, 200);
}

}  // namespace
}  // namespace meridian::test
