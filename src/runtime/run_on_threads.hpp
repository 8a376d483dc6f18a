/// Runs an execution context on several threads.
#pragma once

#include <boost/asio/io_context.hpp>

#include <cstddef>

namespace meridian::runtime {

/// Runs `context` on `count` threads, the calling one among them, until it is out of work or
/// stopped. What is thrown on one of them stops them all and is thrown here. Throws
/// std::runtime_error where so many threads cannot be had; nothing has run then.
void run_on_threads(boost::asio::io_context& context, std::size_t count);

}  // namespace meridian::runtime
