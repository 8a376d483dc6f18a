/// The two lanes to the aggregator, which all handles share.
#pragma once

#include "aggregator/intake.hpp"
#include "aggregator/requests.hpp"

#include <meridian/aggregator.hpp>
#include <meridian/channel.hpp>
#include <meridian/doorbell.hpp>
#include <meridian/lent.hpp>
#include <meridian/oneshot.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/this_coro.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace meridian::inline v2::aggregator {

/// Rings the doorbell at the end of its scope, even if that is the destruction of a waiting
/// coroutine.
class RingAtExit {
 public:
  explicit RingAtExit(std::shared_ptr<Doorbell> bell) : bell_(std::move(bell)) {}
  RingAtExit(const RingAtExit&) = default;
  RingAtExit& operator=(const RingAtExit&) = delete;
  ~RingAtExit() { bell_->ring(); }

  void ring() const { bell_->ring(); }

 private:
  std::shared_ptr<Doorbell> bell_;
};

/// An error as the caller of a handle sees it: a caller does not know of receivers.
inline error_code as_seen_by_caller(error_code ec) {
  return ec == Errc::receiver_gone ? error_code(Errc::aggregator_shut_down) : ec;
}

}  // namespace meridian::inline v2::aggregator

namespace meridian::inline v2 {

namespace request = aggregator::request;  // for the calls of the public handles

struct AggregatorHandle::Port {
  aggregator::RingAtExit
      ring_when_closed;  // first, so that it rings after the senders below have ended their lanes
  Sender<FrameBatch> data;
  Sender<request::Request> control;
  asio::any_io_executor executor;
  std::shared_ptr<const aggregator::HoldsSenders> holds_senders;

  /// Sends on one of the lanes, and wakes the actor.
  template <typename T>
  static asio::awaitable<error_code> send(std::shared_ptr<const Port> port, Sender<T> Port::* lane,
                                          T message) {
    const aggregator::RingAtExit ring_when_sent(port->ring_when_closed);
    const error_code ec = co_await ((*port).*lane).send(std::move(message));
    co_return aggregator::as_seen_by_caller(ec);
  }

  /// Hands over a batch. While the aggregator holds senders, first waits until it lets them go.
  static asio::awaitable<error_code> send_batch(std::shared_ptr<const Port> port,
                                                FrameBatch batch) {
    if (!port->holds_senders->load(std::memory_order_acquire)) {
      return send(std::move(port), &Port::data, std::move(batch));
    }
    return send_when_open(std::move(port), std::move(batch));
  }
  static asio::awaitable<error_code> send_when_open(std::shared_ptr<const Port> port,
                                                    FrameBatch batch);

  /// Sends a request and waits for its reply.
  template <typename R, typename... Fields>
  static asio::awaitable<Result<typename R::ReplyType>> ask(std::shared_ptr<const Port> port,
                                                            Fields... fields) {
    auto [reply_tx, reply_rx] = oneshot<typename R::ReplyType>(port->executor);
    request::Request request(R{{std::move(reply_tx)}, std::move(fields)...});
    const error_code ec = co_await send(port, &Port::control, std::move(request));
    if (ec) {
      co_return ec;
    }
    // A cancellation may come too late for the send. The reply may then be on its way, or may have
    // come already. It must not be lost with what is in it.
    const bool throws = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    auto reply = co_await std::move(reply_rx).receive();
    co_await asio::this_coro::throw_if_cancelled(throws);
    co_return reply;
  }

  /// The same for requests whose reply only says that they are done.
  template <typename R, typename... Fields>
  static asio::awaitable<error_code> tell(std::shared_ptr<const Port> port, Fields... fields) {
    const auto done = co_await ask<R>(std::move(port), std::move(fields)...);
    co_return done.has_value() ? error_code{} : done.error();
  }

  static asio::awaitable<Result<Lent>> take(std::shared_ptr<const Port> port, DrainQuery query,
                                            bool lend);
  static asio::awaitable<Result<Drained>> drain(std::shared_ptr<const Port> port, DrainQuery query);
  /// Runs a call to its end, even if its caller stops waiting for it.
  static asio::awaitable<error_code> finish(std::shared_ptr<const Port> port,
                                            asio::awaitable<error_code> call);
  static asio::awaitable<error_code> settle(Lent lent);
  static asio::awaitable<error_code> settle(std::shared_ptr<const Port> port,
                                            std::vector<request::SettledBatch> batches, bool lent);
  static asio::awaitable<error_code> put_back(Lent lent);
  static asio::awaitable<error_code> put_back(std::shared_ptr<const Port> port,
                                              std::vector<BufferedBatch> batches, bool lent);
  class UnfinishedLease;
  static asio::awaitable<Result<Leased>> lease(std::shared_ptr<const Port> port, LeaseQuery query);
  static asio::awaitable<Result<Amount>> end_lease(std::shared_ptr<const Port> port, LeaseId id,
                                                   LeaseEnd how);
  static asio::awaitable<Result<std::uint64_t>> flush(std::shared_ptr<const Port> port);
  static asio::awaitable<Result<std::vector<OriginStats>>> origins(
      std::shared_ptr<const Port> port);
  static asio::awaitable<Result<std::vector<OriginStats>>> origins(std::shared_ptr<const Port> port,
                                                                   std::size_t from,
                                                                   std::size_t count);
  static asio::awaitable<Result<std::uint64_t>> forget(std::shared_ptr<const Port> port,
                                                       SatelliteId satellite_id,
                                                       std::optional<ChannelId> channel_id);
  static asio::awaitable<Result<std::uint64_t>> forget_idle(std::shared_ptr<const Port> port,
                                                            aggregator::OriginTable::Aging aging);
  static asio::awaitable<Result<Consumer>> consume(std::shared_ptr<const Port> port,
                                                   std::string name);
  static asio::awaitable<Result<Tail>> tail(std::shared_ptr<const Port> port, TailQuery query);
  static asio::awaitable<Result<OriginStats>> sum_origins(std::shared_ptr<const Port> port,
                                                          std::size_t from);
};

}  // namespace meridian::inline v2
