// Replaces the other sources of the room in a build without HTTP (MERIDIAN_WITH_HTTP).
#include "http/make_server.hpp"
#include "http/metrics_reference.hpp"

#include <stdexcept>

namespace meridian::http {

std::shared_ptr<runtime::Part> make_server(const boost::asio::any_io_executor& /*executor*/,
                                           const ServerOptions& /*options*/,
                                           std::optional<int> /*inherited*/,
                                           const status::Sources& /*sources*/) {
  throw std::logic_error("built without HTTP");
}

std::vector<MetricFacts> all_metrics() {
  return {};
}

}  // namespace meridian::http
