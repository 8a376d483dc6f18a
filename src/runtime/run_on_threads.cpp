#include "runtime/run_on_threads.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace meridian::runtime {

namespace {

using boost::asio::io_context;

/// Threads that run contexts: one for each entry of `runs`. The calling thread runs the first
/// entry.
class Crew {
 public:
  using OnException = std::function<void(const std::exception_ptr&)>;

  /// Without `on_exception`, the first exception stops all contexts, and `run` throws it.
  Crew(std::vector<io_context*> runs, OnException on_exception)
      : runs_(std::move(runs)), on_exception_(std::move(on_exception)) {}

  /// Starts the other threads, which wait for `run`.
  void start() {
    try {
      for (auto context = runs_.begin() + 1; context != runs_.end(); ++context) {
        threads_.emplace_back([this, context] {
          if (may_run()) {
            run_one(**context);
          }
        });
      }
    } catch (const std::system_error& error) {
      decide(Go::no);
      join();
      throw std::runtime_error(
          fmt::format("cannot start {} threads: {}", runs_.size(), error.code().message()));
    }
  }

  void run() {
    decide(Go::yes);
    run_one(*runs_.front());
    join();
    if (error_) {
      std::rethrow_exception(error_);
    }
  }

 private:
  enum class Go { undecided, yes, no };

  void decide(Go go) {
    const std::lock_guard lock(mutex_);
    go_ = go;
    decided_.notify_all();
  }
  bool may_run() {
    std::unique_lock lock(mutex_);
    decided_.wait(lock, [this] { return go_ != Go::undecided; });
    return go_ == Go::yes;
  }

  void run_one(io_context& context) {
    for (bool ended = false; !ended;) {
      try {
        context.run();
        ended = true;
      } catch (...) {
        if (on_exception_) {
          on_exception_(std::current_exception());
        } else {
          stop_for(std::current_exception());
          ended = true;
        }
      }
    }
  }

  void stop_for(const std::exception_ptr& error) {
    const std::lock_guard lock(mutex_);
    if (!error_) {
      error_ = error;
    }
    std::ranges::for_each(runs_, &io_context::stop);
  }

  void join() {
    for (std::thread& thread : threads_) {
      thread.join();
    }
  }

  const std::vector<io_context*> runs_;
  const OnException on_exception_;
  std::vector<std::thread> threads_;
  std::mutex mutex_;
  // Protected by mutex_.
  std::condition_variable decided_;
  Go go_ = Go::undecided;
  std::exception_ptr error_;
};

}  // namespace

void run_on_threads(const std::vector<io_context*>& contexts) {
  run_on_threads(contexts, nullptr);
}

void run_on_threads(const std::vector<io_context*>& contexts,
                    std::function<void(const std::exception_ptr&)> on_exception) {
  Crew crew(contexts, std::move(on_exception));
  crew.start();
  crew.run();
}

}  // namespace meridian::runtime
