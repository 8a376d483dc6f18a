/// Runs execution contexts on several threads.
#pragma once

#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <initializer_list>

namespace meridian::runtime {

/// How many threads run a context.
struct ContextThreads {
  boost::asio::io_context& context;
  std::size_t count = 1;
};

/// Runs each context on as many threads as it says, at least one; the calling thread is one of the
/// first context's. Returns once all are out of work or stopped. What is thrown on one of the
/// threads stops them all and is thrown here. Throws std::runtime_error where so many threads
/// cannot be had; nothing has run then.
void run_on_threads(std::initializer_list<ContextThreads> contexts);

}  // namespace meridian::runtime
