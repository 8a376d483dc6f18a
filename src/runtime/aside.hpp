/// What may take long, or for ever, and is not to hold anybody up.
#pragma once

#include "runtime/use_tuple.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <tuple>
#include <utility>

namespace meridian::runtime {

namespace asio = boost::asio;

/// Calls functions on a thread of their own, one at a time: to read a file may wait for a disk that
/// does not answer, or for the other end of a pipe; to look up a group may wait for a server.
///
/// A function that has not ended when it is given up goes on, also beyond the life of this object,
/// so it must own whatever it uses. Confined to a strand, and must outlive the execution context's
/// `run`.
template <typename T>
class Aside {
 public:
  explicit Aside(const asio::any_io_executor& strand)
      : done_(strand), shared_(std::make_shared<Shared>()) {
    shared_->strand = strand;
    shared_->done = &done_;
  }
  Aside(const Aside&) = delete;
  Aside& operator=(const Aside&) = delete;
  ~Aside() {
    const std::lock_guard lock(shared_->mutex);
    shared_->strand.reset();
  }

  /// Returns what `function` does, or throws what it throws. Nothing where that takes longer than
  /// `patience`, or `give_up` is called; and at once while one that took longer goes on. One call
  /// at a time.
  [[nodiscard]] asio::awaitable<std::optional<T>> call(
      std::function<T()> function, std::chrono::steady_clock::duration patience) {
    if (shared_->busy) {
      co_return std::nullopt;
    }
    std::thread(run, shared_, std::move(function)).detach();
    shared_->busy = true;
    shared_->waited_for = true;
    done_.expires_after(patience);
    std::ignore = co_await done_.async_wait(use_tuple);
    shared_->waited_for = false;
    if (const std::exception_ptr error = std::exchange(shared_->error, nullptr)) {
      std::rethrow_exception(error);
    }
    co_return std::exchange(shared_->answer, std::nullopt);
  }

  /// Whoever waits gets nothing.
  void give_up() { done_.cancel(); }

 private:
  struct Shared {
    std::mutex mutex;
    std::optional<asio::any_io_executor> strand;  // protected by mutex; nothing: all is over

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
    // Moved, so that what was thrown ends on the strand alone.
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

  asio::steady_timer done_;
  std::shared_ptr<Shared> shared_;
};

}  // namespace meridian::runtime
