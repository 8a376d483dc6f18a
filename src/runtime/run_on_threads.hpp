/// Runs execution contexts on several threads.
#pragma once

#include <boost/asio/io_context.hpp>

#include <vector>

namespace meridian::runtime {

/// Runs each context on a thread of its own, the first on the calling one; a context that is there
/// several times runs on as many threads. Returns once all are out of work or stopped. What is
/// thrown on one of the threads stops them all and is thrown here. Throws std::runtime_error where
/// so many threads cannot be had; nothing has run then.
void run_on_threads(const std::vector<boost::asio::io_context*>& contexts);

}  // namespace meridian::runtime
