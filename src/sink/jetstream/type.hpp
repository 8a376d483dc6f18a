/// The type of sinks that publish into streams of NATS JetStream.
#pragma once

#include "sink/type.hpp"

namespace meridian::sink::jetstream {

extern const Type type;

/// Makes a sink: see Type::make.
[[nodiscard]] std::shared_ptr<runtime::Part> make_sink(boost::asio::io_context& context,
                                                       const boost::asio::any_io_executor& waiter,
                                                       const Options& options,
                                                       const AggregatorHandle& aggregator,
                                                       status::SinkRecord& record);

}  // namespace meridian::sink::jetstream
