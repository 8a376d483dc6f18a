/// Runs execution contexts on several threads.
#pragma once

#include <boost/asio/io_context.hpp>

#include <exception>
#include <functional>
#include <vector>

namespace meridian::runtime {

/// Runs each context on a thread of its own, the first on the calling one; a context that is there
/// several times runs on as many threads. Returns once all are out of work or stopped. What is
/// thrown on one of the threads stops them all and is thrown here. Throws std::runtime_error where
/// so many threads cannot be had; nothing has run then.
void run_on_threads(const std::vector<boost::asio::io_context*>& contexts);

/// The same, but what is thrown goes to `on_exception`, on the thread on which it was thrown, and
/// all go on running: it is for `on_exception` to bring them to an end. It must not throw.
void run_on_threads(const std::vector<boost::asio::io_context*>& contexts,
                    std::function<void(const std::exception_ptr&)> on_exception);

}  // namespace meridian::runtime
