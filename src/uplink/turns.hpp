/// Limits how many sessions read at the same time.
#pragma once

#include "status/uplink_table.hpp"

#include <meridian/detail/context_watch.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace meridian::uplink {

namespace asio = boost::asio;

/// Lets `count` sessions read at a time. The others wait, in the order in which they asked. So
/// between two reads the thread gets to its other work, such as the aggregator, however many
/// uplinks have data.
///
/// A session keeps its turn while it waits for room in the channel. So no more batches wait than
/// there are turns, and whatever else backpressure holds back stays in the sockets.
///
/// Thread-safe. Must be held by a shared_ptr. A waiting handler must not hold that pointer, since
/// Turns owns the handler.
class Turns : public std::enable_shared_from_this<Turns> {
 public:
  Turns(const asio::any_io_executor& executor, std::size_t count)
      : free_(count), context_(executor) {}

  /// The right to read, until it is destroyed.
  class Turn {
   public:
    Turn(Turn&& other) noexcept
        : turns_(std::move(other.turns_)), is_held_(std::exchange(other.is_held_, false)) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn();

    /// Marks the turn as held: it takes long, since the channel is full. The sessions that wait for
    /// a turn are held, too.
    void hold();

   private:
    friend class Turns;
    explicit Turn(std::shared_ptr<Turns> turns) noexcept : turns_(std::move(turns)) {}

    std::shared_ptr<Turns> turns_;
    bool is_held_ = false;
  };

  /// A turn, if one is free and no session waits for it.
  [[nodiscard]] std::optional<Turn> try_take();

  /// Completes with void() on the handler's executor once the caller has its turn, which `taken`
  /// then returns. If another session's turn is held meanwhile, `record` is marked as held until
  /// the caller has its turn.
  template <typename CompletionToken>
  auto async_wait(std::shared_ptr<status::UplinkRecord> record, CompletionToken&& token);

  /// The turn that `async_wait` waited for.
  [[nodiscard]] Turn taken() { return Turn(shared_from_this()); }

 private:
  /// A session that waits for its turn.
  class Waiter {
   public:
    explicit Waiter(std::shared_ptr<status::UplinkRecord> uplink) : record(std::move(uplink)) {}
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;
    virtual ~Waiter() = default;
    virtual void wake() = 0;

    const std::shared_ptr<status::UplinkRecord> record;
  };
  template <typename Handler>
  class WaiterWith;

  class Enqueue {
   public:
    explicit Enqueue(Turns& turns) noexcept : turns_(turns) {}

    template <typename Handler>
    void operator()(Handler handler, std::shared_ptr<status::UplinkRecord> record) const {
      turns_.enqueue(std::make_unique<WaiterWith<Handler>>(std::move(record), std::move(handler)));
    }

   private:
    Turns& turns_;
  };

  void enqueue(std::unique_ptr<Waiter> waiter);
  void hold();
  void release(bool was_held);

  std::mutex mutex_;
  // Protected by mutex_.
  std::size_t free_;
  std::size_t held_ = 0;  // turns that are held
  std::deque<std::unique_ptr<Waiter>> waiting_;

  detail::ContextWatch context_;  // thread-safe
};

template <typename Handler>
class Turns::WaiterWith final : public Waiter {
 public:
  WaiterWith(std::shared_ptr<status::UplinkRecord> uplink, Handler handler)
      : Waiter(std::move(uplink)),
        work_(asio::get_associated_executor(handler)),
        handler_(std::move(handler)) {}

  void wake() override { asio::post(work_.get_executor(), std::move(handler_)); }

 private:
  asio::executor_work_guard<asio::associated_executor_t<Handler>> work_;
  Handler handler_;
};

template <typename CompletionToken>
auto Turns::async_wait(std::shared_ptr<status::UplinkRecord> record, CompletionToken&& token) {
  return asio::async_initiate<CompletionToken, void()>(Enqueue(*this), token, std::move(record));
}

}  // namespace meridian::uplink
