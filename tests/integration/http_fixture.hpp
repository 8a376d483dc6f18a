/// A daemon with an HTTP server, for the tests of what it answers, of its limits and its metrics.
#pragma once

#include "integration/harness/daemon.hpp"
#include "integration/harness/http_client.hpp"

#include <string>
#include <string_view>

namespace meridian::test {

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

}  // namespace meridian::test
