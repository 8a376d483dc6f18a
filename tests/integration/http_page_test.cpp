// The page and the events that it lives on. What it shows is tested in a browser: see
// tests/page/run.
#include "integration/harness/http_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <set>
#include <string>

namespace meridian::test {
namespace {

using testing::HasSubstr;

/// Reads server-sent events.
class EventReader {
 public:
  explicit EventReader(std::uint16_t port, std::string_view version = "1.1") : socket_(port) {
    socket_.send("GET /api/v1/events HTTP/" + std::string(version) + "\r\nHost: localhost\r\n\r\n");
    head_ = read_until("\r\n\r\n");
  }

  [[nodiscard]] const std::string& head() const noexcept { return head_; }

  struct Event {
    std::string name;
    Json data;
  };
  Event next() {
    const std::string text = read_until("\n\n");
    const std::size_t line_end = text.find('\n');
    const std::string name = "event: ";
    const std::string data = "data: ";
    EXPECT_TRUE(text.starts_with(name)) << text;
    EXPECT_EQ(text.substr(line_end + 1, data.size()), data);
    return {.name = text.substr(name.size(), line_end - name.size()),
            .data = Json::parse(text.substr(line_end + 1 + data.size()))};
  }

  StreamSocket& socket() { return socket_; }

 private:
  std::string read_until(std::string_view end) {
    std::size_t at = received_.find(end);
    while (at == std::string::npos) {
      const std::string more = socket_.read_some();
      if (more.empty()) {
        throw std::runtime_error("the events have ended: " + received_);
      }
      received_ += more;
      at = received_.find(end);
    }
    std::string text = received_.substr(0, at);
    received_.erase(0, at + end.size());
    return text;
  }

  StreamSocket socket_;
  std::string received_;
  std::string head_;
};

class Page : public DaemonTest {
 protected:
  void start_with_http(const Json& http = Json::object()) {
    Json all = {{"http", {{"listen", "127.0.0.1:0"}}}};
    all["http"].merge_patch(http);
    start(all);
  }
};

TEST_F(Page, ServesEveryFileOfIts) {
  start_with_http();
  std::size_t files = 0;
  const std::filesystem::path directory = test::source_dir() / "src" / "http" / "page";
  const std::map<std::string, std::string> types{{".html", "text/html; charset=utf-8"},
                                                 {".css", "text/css; charset=utf-8"},
                                                 {".js", "text/javascript; charset=utf-8"},
                                                 {".svg", "image/svg+xml"}};
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    const std::string name = entry.path().filename();
    const HttpAnswer answer = http_get(daemon(), name == "index.html" ? "/" : "/" + name);
    EXPECT_EQ(answer.status, 200) << name;
    EXPECT_EQ(answer.headers.at("content-type"), types.at(entry.path().extension())) << name;
    EXPECT_TRUE(answer.body == read_file(entry.path())) << name;
    ++files;
  }
  EXPECT_GT(files, 3U);
}

TEST_F(Page, LoadsNothingFromElsewhere) {
  start_with_http();
  const HttpAnswer page = http_get(daemon(), "/?reload=1");
  EXPECT_THAT(page.headers.at("content-security-policy"), HasSubstr("default-src 'self'"));
  EXPECT_EQ(page.headers.at("x-content-type-options"), "nosniff");
  EXPECT_EQ(page.body.find("://"), std::string::npos);
}

TEST_F(Page, EventsAreTheHistoryAndThenSnapshots) {
  start_with_http();
  send_whole(daemon().port(), frames_of(7, 0, 5));
  EventReader reader(http_port(daemon()));
  EXPECT_THAT(reader.head(), HasSubstr("Content-Type: text/event-stream"));
  EXPECT_THAT(reader.head(), HasSubstr("X-Accel-Buffering: no")) << "for a proxy in front";
  const EventReader::Event history = reader.next();
  EXPECT_EQ(history.name, "history");
  for (const Json& point : history.data) {
    EXPECT_EQ(point.size(), 8U);
  }
  EventReader::Event snapshot = reader.next();
  EXPECT_EQ(snapshot.name, "snapshot");
  EXPECT_TRUE(eventually([&] {  // the first one may have been made before
    if (snapshot.data.at("stats").at("ledger").at("received") == 5) {
      return true;
    }
    snapshot = reader.next();
    return false;
  }));
  EXPECT_EQ(snapshot.data.at("satellites").at("rows"),
            daemon().call("satellites").at("satellites"));
  EXPECT_EQ(snapshot.data.at("uplinks").at("total"), 0);
  EXPECT_EQ(snapshot.data.at("silence"),
            Json::parse(R"({"after_s":30,"count":0,"satellite_ids":[]})"));

  send_whole(daemon().port(), frames_of(7, 5, 5));
  EXPECT_TRUE(eventually([&] {
    snapshot = reader.next();
    return snapshot.data.at("stats").at("ledger").at("received") == 10;
  }));
}

TEST_F(Page, AllWhoWatchGetTheSameSnapshot) {
  start_with_http();
  EventReader first(http_port(daemon()));
  EventReader second(http_port(daemon()), "1.0");
  const auto moments = [](EventReader& reader) {
    std::set<std::string> all;
    std::ignore = reader.next();
    for (int i = 0; i < 3; ++i) {
      all.insert(reader.next().data.at("at"));
    }
    return all;
  };
  const std::set<std::string> of_first = moments(first);
  const std::set<std::string> of_second = moments(second);
  EXPECT_EQ(of_first.size(), 3U);
  std::size_t common = 0;
  for (const std::string& moment : of_second) {
    common += of_first.contains(moment) ? 1 : 0;
  }
  EXPECT_GE(common, 2U);
}

TEST_F(Page, HeadOfTheEventsIsAllThereIs) {
  start_with_http();
  HttpClient client(http_port(daemon()));
  client.socket().send("HEAD /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(client.read_answer(false).status, 200);
  EXPECT_EQ(client.socket().wait_closed(), "");
}

TEST_F(Page, WhoWatchesDoesNotHoldUpAStop) {
  start_with_http();
  EventReader reader(http_port(daemon()));
  std::ignore = reader.next();
  std::ignore = reader.next();
  stop();
}

}  // namespace
}  // namespace meridian::test
