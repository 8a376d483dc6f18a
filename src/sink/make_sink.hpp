/// A sink, as the daemon starts it.
#pragma once

#include "runtime/part.hpp"
#include "sink/options.hpp"
#include "status/sink_table.hpp"

#include <meridian/aggregator.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/io_context.hpp>

#include <memory>

namespace meridian::sink {

/// `context` is the sink's own; `wait_stopped` is called in `waiter`. `context` and `record` must
/// outlive the sink. Throws std::logic_error in a build without NATS, where the configuration has
/// already been refused.
[[nodiscard]] std::shared_ptr<runtime::Part> make_sink(boost::asio::io_context& context,
                                                       const boost::asio::any_io_executor& waiter,
                                                       const Options& options,
                                                       const AggregatorHandle& aggregator,
                                                       status::SinkRecord& record);

}  // namespace meridian::sink
