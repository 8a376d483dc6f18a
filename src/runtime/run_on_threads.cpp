#include "runtime/run_on_threads.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace meridian::runtime {

namespace {

using boost::asio::io_context;

/// Threads that run contexts together: one for each entry of `runs`, the calling one for the
/// first.
class Crew {
 public:
  explicit Crew(std::vector<io_context*> runs) : runs_(std::move(runs)) {}

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
    try {
      context.run();
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!error_) {
        error_ = std::current_exception();
      }
      std::ranges::for_each(runs_, &io_context::stop);
    }
  }

  void join() {
    for (std::thread& thread : threads_) {
      thread.join();
    }
  }

  const std::vector<io_context*> runs_;
  std::vector<std::thread> threads_;
  std::mutex mutex_;
  // Protected by mutex_.
  std::condition_variable decided_;
  Go go_ = Go::undecided;
  std::exception_ptr error_;
};

}  // namespace

void run_on_threads(const std::vector<io_context*>& contexts) {
  Crew crew(contexts);
  crew.start();
  crew.run();
}

}  // namespace meridian::runtime
