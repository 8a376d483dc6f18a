/// Runs execution contexts on several threads.
#pragma once

#include <boost/asio/io_context.hpp>

#include <exception>
#include <functional>
#include <vector>

namespace meridian::runtime {

/// Runs each context on a thread of its own, the first on the calling thread. A context that is
/// listed several times runs on that many threads. Returns once all contexts have run out of work
/// or were stopped. An exception on one of the threads stops all contexts and is thrown here.
/// Throws std::runtime_error if the threads cannot be started; no context has run then.
void run_on_threads(const std::vector<boost::asio::io_context*>& contexts);

/// The same, but an exception goes to `on_exception`, on the thread that threw it. All contexts
/// keep running, unless `on_exception` ends them. It must not throw.
void run_on_threads(const std::vector<boost::asio::io_context*>& contexts,
                    std::function<void(const std::exception_ptr&)> on_exception);

}  // namespace meridian::runtime
