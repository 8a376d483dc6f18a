#include "runtime/run_on_threads.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <vector>

namespace meridian::runtime {

namespace {

/// Threads that run a context together.
class Crew {
 public:
  explicit Crew(boost::asio::io_context& context) : context_(context) {}

  /// Starts threads, which wait for `run`.
  void start(std::size_t count) {
    try {
      for (std::size_t i = 0; i < count; ++i) {
        threads_.emplace_back([this] {
          if (may_run()) {
            run_one();
          }
        });
      }
    } catch (const std::system_error& error) {
      decide(Go::no);
      join();
      throw std::runtime_error(
          fmt::format("cannot start {} threads: {}", count + 1, error.code().message()));
    }
  }

  void run() {
    decide(Go::yes);
    run_one();
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

  void run_one() {
    try {
      context_.run();
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!error_) {
        error_ = std::current_exception();
      }
      context_.stop();
    }
  }

  void join() {
    for (std::thread& thread : threads_) {
      thread.join();
    }
  }

  boost::asio::io_context& context_;
  std::vector<std::thread> threads_;
  std::mutex mutex_;
  // Protected by mutex_.
  std::condition_variable decided_;
  Go go_ = Go::undecided;
  std::exception_ptr error_;
};

}  // namespace

void run_on_threads(boost::asio::io_context& context, std::size_t count) {
  Crew crew(context);
  crew.start(std::max<std::size_t>(count, 1) - 1);
  crew.run();
}

}  // namespace meridian::runtime
