#include "aggregator/amounts.hpp"
#include "aggregator/port.hpp"
#include "runtime/rethrow.hpp"

#include <meridian/lent.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <iterator>
#include <tuple>
#include <utility>

namespace meridian::inline v2 {

namespace {

/// Batches in one message that settles them or puts them back: a few hundred microseconds' work.
constexpr std::size_t batches_per_message = 2048;

/// How a call has ended.
struct Ended {
  request::Done reply;
  error_code ec;
};

}  // namespace

Lent& Lent::operator=(Lent&& other) noexcept {
  const Lent old(std::move(*this));  // goes back
  port_ = std::move(other.port_);
  frames_ = std::exchange(other.frames_, {});
  keep_room_ = other.keep_room_;
  return *this;
}

Lent::~Lent() {
  if (!port_ || frames_.batches.empty()) {
    return;
  }
  const auto executor = port_->executor;
  asio::co_spawn(
      executor,
      AggregatorHandle::Port::put_back(std::move(port_), std::move(frames_.batches), keep_room_),
      [](const std::exception_ptr& error, error_code) {
        // It fails only if there is no aggregator, and so no buffer for the frames.
        runtime::rethrow(error);
      });
}

asio::awaitable<error_code> Lent::settle() && {
  return AggregatorHandle::Port::settle(std::move(*this));
}

asio::awaitable<error_code> Lent::put_back() && {
  return AggregatorHandle::Port::put_back(std::move(*this));
}

asio::awaitable<error_code> AggregatorHandle::Port::finish(std::shared_ptr<const Port> port,
                                                           asio::awaitable<error_code> call) {
  auto [ended_tx, ended_rx] = oneshot<Ended>(port->executor);
  asio::co_spawn(
      port->executor, std::move(call),
      [tx = std::move(ended_tx)](const std::exception_ptr& error, const error_code& ec) mutable {
        runtime::rethrow(error);
        std::move(tx).send({.reply = {}, .ec = ec});
      });
  const auto ended = co_await std::move(ended_rx).receive();
  co_return ended ? ended->ec : ended.error();
}

asio::awaitable<error_code> AggregatorHandle::Port::settle(Lent lent) {
  if (!lent.port_) {
    co_return error_code{};
  }
  const std::shared_ptr<const Port> port = std::move(lent.port_);
  auto call = settle(port, request::places_of(lent.frames_.batches), lent.keep_room_);
  co_return co_await finish(port, std::move(call));
}

asio::awaitable<error_code> AggregatorHandle::Port::settle(
    std::shared_ptr<const Port> port, std::vector<request::SettledBatch> batches, bool lent) {
  while (!batches.empty()) {
    const auto count = static_cast<std::ptrdiff_t>(std::min(batches.size(), batches_per_message));
    std::vector<request::SettledBatch> last(batches.end() - count, batches.end());
    batches.erase(batches.end() - count, batches.end());
    const error_code ec = co_await tell<request::Settle>(port, std::move(last), lent);
    if (ec) {
      co_return ec;
    }
  }
  co_return error_code{};
}

asio::awaitable<error_code> AggregatorHandle::Port::put_back(Lent lent) {
  if (!lent.port_) {
    co_return error_code{};
  }
  const std::shared_ptr<const Port> port = std::move(lent.port_);
  auto call = put_back(port, std::move(lent.frames_.batches), lent.keep_room_);
  co_return co_await finish(port, std::move(call));
}

asio::awaitable<error_code> AggregatorHandle::Port::put_back(std::shared_ptr<const Port> port,
                                                             std::vector<BufferedBatch> batches,
                                                             bool lent) {
  error_code first;
  // Newest first: under a policy that drops the newest, the oldest come last and find room.
  while (!batches.empty()) {
    const auto count = static_cast<std::ptrdiff_t>(std::min(batches.size(), batches_per_message));
    std::vector<BufferedBatch> last(std::move_iterator(batches.end() - count),
                                    std::move_iterator(batches.end()));
    batches.erase(batches.end() - count, batches.end());
    const error_code ec = co_await tell<request::PutBack>(port, std::move(last), lent);
    if (ec && !first) {
      first = ec;  // the others may still go back
    }
  }
  co_return first;
}

asio::awaitable<AggregatorHandle::Result<Lent>> AggregatorHandle::Port::take(
    std::shared_ptr<const Port> port, DrainQuery query, bool lend) {
  Lent lent(port, lend);  // goes back unless this call succeeds
  request::DrainProgress progress;
  for (;;) {
    DrainQuery rest = query;
    rest.max_frames -= lent.frames_.taken.frames;
    auto step = co_await ask<request::Drain>(port, rest, progress, lend);
    if (!step) {
      co_return step.error();
    }
    const bool finished = step->finished;
    progress = step->progress;
    aggregator::add_to(lent.frames_.taken, step->taken);
    lent.frames_.remaining = step->remaining;
    std::ranges::move(step->batches, std::back_inserter(lent.frames_.batches));
    if (step->settled) {
      lent.port_.reset();
    }
    if (finished) {
      co_return lent;
    }
  }
}

asio::awaitable<AggregatorHandle::Result<Drained>> AggregatorHandle::Port::drain(
    std::shared_ptr<const Port> port, DrainQuery query) {
  auto taken = co_await take(port, query, false);
  if (!taken) {
    co_return taken.error();
  }
  if (taken->port_) {
    // The frames are the caller's now: a cancellation comes too late, and must not leave them
    // unsettled.
    taken->port_.reset();
    auto call = settle(port, request::places_of(taken->frames_.batches), false);
    const bool throws = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    std::ignore = co_await finish(port, std::move(call));
    co_await asio::this_coro::throw_if_cancelled(throws);
  }
  co_return std::move(taken->frames_);
}

asio::awaitable<AggregatorHandle::Result<Drained>> AggregatorHandle::drain(DrainQuery query) const {
  return Port::drain(port_, query);
}

asio::awaitable<AggregatorHandle::Result<Lent>> AggregatorHandle::lend(DrainQuery query) const {
  return Port::take(port_, query, true);
}

}  // namespace meridian::inline v2
