// The HTTP server: what it answers, and to which requests.
#include "integration/harness/bound_socket.hpp"
#include "integration/http_fixture.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <tuple>

namespace meridian::test {
namespace {

using testing::HasSubstr;

TEST_F(Http, IsOffUnlessItIsConfigured) {
  start();
  EXPECT_FALSE(daemon().logged("HTTP"));
}

TEST_F(Http, AddressInUseIsAStartError) {
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

TEST_F(Http, ReadinessFailsWhenAFullBufferDropsFrames) {
  start_with_http({{"buffer", {{"max_frames", 10}, {"when_full", "drop_oldest"}}}});
  EXPECT_EQ(Json::parse(get("/readyz").body).at("reason"), "serving");
  send_whole(daemon().port(), frames_of(1, 0, 20));
  const HttpAnswer full = get("/readyz");
  EXPECT_EQ(full.status, 503);
  EXPECT_EQ(Json::parse(full.body).at("reason"), "buffer_full");
  std::ignore = daemon().call("flush");
  EXPECT_EQ(get("/readyz").status, 200);
}

TEST_F(Http, KeysNeedARestart) {
  start_with_http();
  const Json answer = reload({{"http", {{"listen", "127.0.0.1:1"}, {"max_clients", 3}}}});
  EXPECT_EQ(answer.at("needs_restart"), (Json{"http.listen", "http.max_clients"}));
  EXPECT_EQ(get("/healthz").status, 200);
}

}  // namespace
}  // namespace meridian::test
