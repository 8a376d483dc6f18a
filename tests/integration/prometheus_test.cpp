// A real Prometheus scrapes the daemon; and what dashboards and alerts ask for is there.
#include "integration/harness/http_client.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <regex>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>

#include <signal.h>

namespace meridian::test {
namespace {

/// A Prometheus that scrapes a daemon each second.
class Prometheus {
 public:
  Prometheus(const TempDir& directory, std::uint16_t target)
      : process_({"prometheus",
                  "--config.file=" + directory.write("prometheus.yml", config(target)),
                  "--storage.tsdb.path=" + (directory.path() / "tsdb").string(),
                  "--web.listen-address=127.0.0.1:0"}) {
    if (!eventually([this] { return process_.err().find("Server is ready") != std::string::npos; },
                    test::at_most(std::chrono::seconds(60)))) {
      throw std::runtime_error("Prometheus does not start: " + process_.err());
    }
  }

  /// The value of a series; nothing where it has none.
  std::optional<double> ask(const std::string& series) {
    std::string escaped;
    for (const char letter : series) {
      escaped += fmt::format("%{:02X}", static_cast<unsigned char>(letter));
    }
    const Json answer =
        Json::parse(HttpClient(port()).request("GET", "/api/v1/query?query=" + escaped).body);
    const Json& result = answer.at("data").at("result");
    if (result.size() != 1) {
      return std::nullopt;
    }
    return std::stod(result.at(0).at("value").at(1).get<std::string>());
  }

  int stop() {
    process_.signal(SIGTERM);
    return process_.wait(test::at_most(std::chrono::seconds(60)));
  }

 private:
  static std::string config(std::uint16_t target) {
    return fmt::format(R"(
global: {{ scrape_interval: 1s, scrape_timeout: 1s }}
scrape_configs:
  - job_name: meridian
    static_configs: [ {{ targets: ["127.0.0.1:{}"] }} ]
)",
                       target);
  }

  std::uint16_t port() const {
    const std::string log = process_.err();
    std::smatch found;
    const std::regex listening("msg=\"Listening on\" address=127.0.0.1:([0-9]+)");
    if (!std::regex_search(log, found, listening)) {
      throw std::runtime_error("Prometheus does not say where it listens: " + log);
    }
    return static_cast<std::uint16_t>(std::stoul(found[1]));
  }

  ChildProcess process_;
};

class Monitoring : public DaemonTest {
 protected:
  void start_with_http(const Json& changes = Json::object()) {
    Json all = {{"http", {{"listen", "127.0.0.1:0"}}}};
    all.merge_patch(changes);
    start(all);
  }
};

TEST_F(Monitoring, PrometheusCountsWhatTheControlSocketCounts) {
  start_with_http({{"buffer", {{"max_frames", 5'000}, {"when_full", "drop_oldest"}}}});
  Prometheus prometheus(directory(), http_port(daemon()));
  ASSERT_TRUE(eventually([&] { return prometheus.ask("meridian_sessions_open").has_value(); }));
  const std::uint64_t each =
      scaled(300'000);  // within three seconds or more, as long as some scrapes
  ChildProcess load({test::meridian_sim, "--connect", fmt::format("127.0.0.1:{}", daemon().port()),
                     "--uplinks", "8", "--frames", std::to_string(each), "--rate",
                     std::to_string(each / 3)});
  ASSERT_EQ(load.wait(test::at_most(std::chrono::seconds(60))), 0) << load.err();
  std::ignore = daemon().connect().drain_binary({{"max_frames", 1'000}});
  std::ignore = daemon().call("flush");

  const Json stats = daemon().call("stats");
  const Json& ledger = stats.at("ledger");
  std::map<std::string, Json> expected{
      {"meridian_frames_received_total", ledger.at("received")},
      {"meridian_frames_drained_total", ledger.at("drained")},
      {"meridian_frames_flushed_total", ledger.at("flushed")},
      {"meridian_buffer_frames", ledger.at("buffered")},
      {"meridian_sessions_accepted_total", stats.at("sessions").at("accepted")},
      {"meridian_streams_truncated_total", stats.at("truncated")}};
  const auto add_reasons = [&expected](const std::string& family, const Json& by_reason) {
    for (const auto& [reason, count] : by_reason.items()) {
      expected[family + "{reason=\"" + reason + "\"}"] = count;
    }
  };
  add_reasons("meridian_frames_dropped_total", ledger.at("dropped"));
  add_reasons("meridian_sessions_closed_total", stats.at("sessions").at("closed"));
  add_reasons("meridian_streams_malformed_total", stats.at("malformed"));
  EXPECT_EQ(ledger.at("received"), 8 * each);
  EXPECT_GT(ledger.at("dropped").at("buffer_full_oldest"), 0);
  for (const auto& [series, value] : expected) {
    std::optional<double> scraped;
    EXPECT_TRUE(eventually([&] {
      scraped = prometheus.ask(series);
      return scraped && Json(*scraped) == value;
    })) << series
        << " is " << scraped.value_or(-1) << " there and " << value << " here";
  }
  // The sum over satellites is the sum over all.
  EXPECT_EQ(prometheus.ask("sum(meridian_satellite_frames_total)"), ledger.at("received"));
  EXPECT_GT(prometheus.ask("max_over_time(meridian_sessions_open[5m])"), 0) << "under load too";
  EXPECT_EQ(prometheus.stop(), 0);
}

/// The metrics that a text names, without the endings of histograms.
std::set<std::string> metrics_in(const std::string& text) {
  static const std::regex name("\\b(meridian|process)_[a-z_]+[a-z]\\b");
  static const std::regex ending("_(bucket|sum|count)$");
  std::set<std::string> names;
  for (std::sregex_iterator at(text.begin(), text.end(), name), end; at != end; ++at) {
    names.insert(std::regex_replace(at->str(), ending, ""));
  }
  return names;
}

/// The families that the daemon tells.
std::set<std::string> families_of(const std::string& page) {
  std::set<std::string> names;
  for (const std::string& line : test::lines_of(page)) {
    const std::string prefix = "# TYPE ";
    if (line.starts_with(prefix)) {
      names.insert(line.substr(prefix.size(), line.find(' ', prefix.size()) - prefix.size()));
    }
  }
  return names;
}

std::string document(std::string_view name) {
  return read_file(test::source_dir() / "docs" / name);
}

TEST_F(Monitoring, MetricsOfAlertsAndDashboardAreThere) {
  start_with_http();
  test::send_whole(daemon().port(), test::frames_of(1, 0, 10));
  const std::string page = http_get(daemon(), "/metrics").body;
  const std::set<std::string> told = families_of(page);
  ASSERT_GT(told.size(), 50U);
  for (const char* const name : {"prometheus/alerts.yml", "grafana/meridian.json"}) {
    const std::set<std::string> used = metrics_in(document(name));
    EXPECT_GT(used.size(), 10U) << name;
    for (const std::string& metric : used) {
      EXPECT_TRUE(told.contains(metric)) << name << " asks for " << metric;
    }
  }
}

TEST_F(Monitoring, EveryMetricStandsInItsDocument) {
  start_with_http();
  const std::set<std::string> told = families_of(http_get(daemon(), "/metrics").body);
  const std::set<std::string> documented = metrics_in(document("reference/metrics.md"));
  for (const std::string& metric : told) {
    EXPECT_TRUE(documented.contains(metric)) << metric << " is not documented";
  }
  for (const std::string& metric : documented) {
    EXPECT_TRUE(told.contains(metric)) << metric << " is documented, and is not there";
  }
}

}  // namespace
}  // namespace meridian::test
