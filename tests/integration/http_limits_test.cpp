// The HTTP server: how many clients and streams of events it has places for, and for how long.
#include "integration/http_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace meridian::test {
namespace {

using testing::HasSubstr;

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

TEST_F(Http, ProbesAndScrapesAreAnsweredDespiteManyClients) {
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

TEST_F(Http, SilentClientsSoonReleaseReservedPlaces) {
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

TEST_F(Http, EventStreamsHaveTheirOwnPlacesAndEnd) {
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

TEST_F(Http, IdleKeptConnectionsAreClosedAndNotCounted) {
  start_with_http({{"http", {{"timeout_s", 1}}}});
  HttpClient kept(http_port(daemon()));
  EXPECT_EQ(kept.request("GET", "/healthz").status, 200);
  EXPECT_EQ(kept.socket().wait_closed(), "");
  EXPECT_EQ(metric("meridian_http_timed_out_total"), 0);
}

}  // namespace
}  // namespace meridian::test
