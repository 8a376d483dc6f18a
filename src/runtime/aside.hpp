/// Runs calls that may block on a thread of their own.
#pragma once

#include "runtime/use_tuple.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

namespace meridian::runtime {

namespace asio = boost::asio;

/// Calls functions, each on a thread of its own, and waits for one at a time. The functions may
/// block: reading a file may wait for a disk that does not answer, or for the other end of a pipe.
/// Looking up a group may wait for a server.
///
/// A function that is given up keeps running, even after this object is destroyed, so it must own
/// everything that it uses. It may run for ever without delaying later ones: a function is refused
/// only while `most_running` others are running. Confined to a strand. This object must outlive the
/// execution context's `run`.
template <typename T>
class Aside {
 public:
  /// How many functions may run at a time, including those that were given up.
  static constexpr std::size_t most_running = 4;

  explicit Aside(const asio::any_io_executor& strand) : strand_(strand), done_(strand) {}
  Aside(const Aside&) = delete;
  Aside& operator=(const Aside&) = delete;
  ~Aside() {
    for (const std::shared_ptr<Shared>& each : running_) {
      const std::lock_guard lock(each->mutex);
      each->strand.reset();
    }
  }

  /// Whether `call` would refuse a function, because `most_running` functions that were given up
  /// are still running.
  [[nodiscard]] bool is_full() {
    std::erase_if(running_, [](const std::shared_ptr<Shared>& each) { return !each->busy; });
    return running_.size() >= most_running;
  }

  /// Returns what `function` returns, or throws what it throws. Returns nothing if that takes
  /// longer than `patience`, or if `give_up` is called. If `is_full()`, does not call it, and
  /// returns nothing at once. One call at a time.
  [[nodiscard]] asio::awaitable<std::optional<T>> call(
      std::function<T()> function, std::chrono::steady_clock::duration patience) {
    if (is_full()) {
      co_return std::nullopt;
    }
    const auto shared = std::make_shared<Shared>();
    shared->strand = strand_;
    shared->done = &done_;
    running_.push_back(shared);
    std::thread(run, shared, std::move(function)).detach();
    shared->busy = true;
    shared->waited_for = true;
    done_.expires_after(patience);
    std::ignore = co_await done_.async_wait(use_tuple);
    shared->waited_for = false;
    if (const std::exception_ptr error = std::exchange(shared->error, nullptr)) {
      std::rethrow_exception(error);
    }
    co_return std::exchange(shared->answer, std::nullopt);
  }

  /// Makes a `call` in progress return nothing.
  void give_up() { done_.cancel(); }

 private:
  /// State that one function shares with its caller.
  struct Shared {
    std::mutex mutex;
    std::optional<asio::any_io_executor> strand;  // protected by mutex; no value: Aside is gone

    // On the strand.
    asio::steady_timer* done = nullptr;
    bool busy = false;
    bool waited_for = false;
    std::optional<T> answer;
    std::exception_ptr error;
  };

  static void run(std::shared_ptr<Shared> shared, std::function<T()> function) {
    std::optional<T> answer;
    std::exception_ptr error;
    try {
      answer = function();
    } catch (...) {
      error = std::current_exception();
    }
    const std::lock_guard lock(shared->mutex);
    if (!shared->strand) {
      return;
    }
    // Moved, so that an exception is destroyed only on the strand.
    asio::post(*shared->strand,
               [shared, answer = std::move(answer), error = std::move(error)]() mutable {
                 shared->busy = false;
                 if (shared->waited_for) {
                   shared->waited_for = false;
                   shared->answer = std::move(answer);
                   shared->error = std::move(error);
                   shared->done->cancel();
                 }
               });
  }

  asio::any_io_executor strand_;
  asio::steady_timer done_;
  std::vector<std::shared_ptr<Shared>> running_;
};

}  // namespace meridian::runtime
