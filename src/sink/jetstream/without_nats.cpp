// Replaces the sources that need the NATS client library in a build without it
// (MERIDIAN_WITH_NATS).
#include "sink/jetstream/type.hpp"

#include <stdexcept>

namespace meridian::sink::jetstream {

std::shared_ptr<runtime::Part> make_sink(boost::asio::io_context& /*context*/,
                                         const boost::asio::any_io_executor& /*waiter*/,
                                         const Options& /*options*/,
                                         const AggregatorHandle& /*aggregator*/,
                                         status::SinkRecord& /*record*/) {
  throw std::logic_error("built without NATS");
}

}  // namespace meridian::sink::jetstream
