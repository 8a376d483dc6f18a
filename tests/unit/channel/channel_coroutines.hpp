/// Coroutines that the channel's tests spawn.
#pragma once

#include <meridian/channel.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>

#include <exception>
#include <optional>
#include <utility>
#include <vector>

namespace meridian::test {

/// For co_spawn: an exception in the coroutine fails the test.
inline void rethrow(std::exception_ptr error) {
  if (error) {
    std::rethrow_exception(error);
  }
}

/// Runs all that is ready, and says whether there was anything.
inline bool poll(asio::io_context& context) {
  context.restart();
  return context.poll() > 0;
}

/// Runs `work` on the context's own thread, and then all that has become ready. A cancellation that
/// is emitted there is passed on at once: what waits is cancelled, but has not run yet.
template <typename Work>
void run_inside(asio::io_context& context, Work work) {
  asio::post(context, std::move(work));
  poll(context);
}

/// Sends one message and notes the outcome.
template <typename T>
asio::awaitable<void> send_one(Sender<T> tx, T value, std::optional<error_code>* outcome) {
  *outcome = co_await tx.send(std::move(value));
}

/// Sends from, from + 1, … as long as it goes well.
inline asio::awaitable<void> send_numbers(Sender<int> tx, int from, int count, int* sent) {
  for (int i = from; i < from + count; ++i) {
    const error_code ec = co_await tx.send(i);
    if (ec) {
      co_return;
    }
    ++*sent;
  }
}

/// Receives everything up to the end.
template <typename T>
asio::awaitable<void> collect(Receiver<T> rx, std::vector<T>* out, bool* ended) {
  for (;;) {
    std::optional<T> value = co_await rx.receive();
    if (!value) {
      *ended = true;
      co_return;
    }
    out->push_back(*std::move(value));
  }
}

/// What one receive gave.
template <typename T>
struct Received {
  bool done = false;
  std::optional<T> value;
  error_code error;
};

/// Receives once; `rx` stays with the caller.
template <typename T>
asio::awaitable<void> receive_one(Receiver<T>* rx, Received<T>* out) {
  try {
    out->value = co_await rx->receive();
  } catch (const boost::system::system_error& error) {
    out->error = error.code();
  }
  out->done = true;
}

}  // namespace meridian::test
