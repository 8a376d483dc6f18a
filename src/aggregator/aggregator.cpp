#include "aggregator/actor.hpp"
#include "aggregator/amounts.hpp"
#include "aggregator/port.hpp"
#include "runtime/rethrow.hpp"

#include <meridian/aggregator.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace meridian::inline v2 {

namespace {

/// How many requests may wait in the control lane. A caller that finds it full waits to send. The
/// actor answers each in one go, so few wait.
constexpr std::size_t control_capacity = 64;

/// Origins in one answer: a few hundred microseconds' work.
constexpr std::size_t origins_per_step = 4096;

/// Rows of the list of origins: `count` of them, from index `from` on.
struct OriginSlice {
  std::size_t from = 0;
  std::size_t count = 0;
  std::size_t index = 0;  // of the first row of the next page
  std::vector<OriginStats> rows{};
};

// Each adds the reply to one step to the total of the earlier steps, and returns whether there is a
// next step.
bool add_step(std::uint64_t& forgotten, const aggregator::OriginTable::Forgotten& step) {
  forgotten += step.origins;
  return !step.reached_end;
}
bool add_step(OriginStats& sum, const aggregator::OriginTable::Sum& step) {
  aggregator::add_to(sum, step.stats);
  return !step.reached_end;
}
bool add_step(OriginSlice& slice, OriginPage& page) {
  const std::size_t rows = page.rows.size();
  const std::size_t skipped = std::min(rows, slice.from - std::min(slice.from, slice.index));
  const std::size_t taken = std::min(rows - skipped, slice.count - slice.rows.size());
  const auto first = page.rows.begin() + static_cast<std::ptrdiff_t>(skipped);
  std::move(first, first + static_cast<std::ptrdiff_t>(taken), std::back_inserter(slice.rows));
  slice.index += rows;
  return !page.at_end && slice.rows.size() < slice.count;
}

/// Sends the request `R` for the places of the origin table from `from` on. Goes step by step, so
/// that the actor answers other requests in between. Adds the replies to `total`. `fields` are the
/// fields of `R` in front of its places.
template <typename R, typename Total, typename Port, typename... Fields>
asio::awaitable<AggregatorHandle::Result<Total>> in_steps(std::shared_ptr<const Port> port,
                                                          Total total, std::size_t from,
                                                          Fields... fields) {
  for (bool more = true; more; from += origins_per_step) {
    auto step = co_await Port::template ask<R>(port, fields..., from, origins_per_step);
    if (!step) {
      co_return step.error();
    }
    more = add_step(total, *step);
  }
  co_return total;
}

}  // namespace

asio::awaitable<AggregatorHandle::Result<std::uint64_t>> AggregatorHandle::Port::flush(
    std::shared_ptr<const Port> port) {
  const auto reply = co_await ask<request::Flush>(std::move(port));
  if (!reply) {
    co_return reply.error();
  }
  co_return reply->discarded;
}

asio::awaitable<AggregatorHandle::Result<std::vector<OriginStats>>> AggregatorHandle::Port::origins(
    std::shared_ptr<const Port> port) {
  return origins(std::move(port), 0, std::numeric_limits<std::size_t>::max());
}

asio::awaitable<AggregatorHandle::Result<std::vector<OriginStats>>> AggregatorHandle::Port::origins(
    std::shared_ptr<const Port> port, std::size_t from, std::size_t count) {
  if (count == 0) {
    co_return std::vector<OriginStats>();
  }
  OriginSlice slice{.from = from, .count = count};
  auto taken = co_await in_steps<request::GetOrigins>(std::move(port), std::move(slice), 0);
  if (!taken) {
    co_return taken.error();
  }
  co_return std::move(taken->rows);
}

asio::awaitable<AggregatorHandle::Result<std::uint64_t>> AggregatorHandle::Port::forget(
    std::shared_ptr<const Port> port, SatelliteId satellite_id,
    std::optional<ChannelId> channel_id) {
  return in_steps<request::ForgetOrigins>(std::move(port), std::uint64_t{0}, 0, satellite_id,
                                          channel_id);
}

asio::awaitable<AggregatorHandle::Result<std::uint64_t>> AggregatorHandle::Port::forget_idle(
    std::shared_ptr<const Port> port, aggregator::OriginTable::Aging aging) {
  return in_steps<request::AgeOrigins>(std::move(port), std::uint64_t{0}, 0, aging);
}

asio::awaitable<AggregatorHandle::Result<OriginStats>> AggregatorHandle::Port::sum_origins(
    std::shared_ptr<const Port> port, std::size_t from) {
  return in_steps<request::SumOrigins>(std::move(port), OriginStats(), from);
}

asio::awaitable<error_code> AggregatorHandle::Port::send_when_open(std::shared_ptr<const Port> port,
                                                                   FrameBatch batch) {
  error_code ec;
  while (!ec && port->holds_senders->load(std::memory_order_acquire)) {
    ec = co_await tell<request::AwaitOpen>(port);
  }
  if (ec == asio::error::operation_aborted) {
    co_return ec;
  }
  // If the wait failed, the send fails too, and says why.
  co_return co_await send(std::move(port), &Port::data, std::move(batch));
}

asio::awaitable<error_code> AggregatorHandle::send(FrameBatch batch) const {
  return Port::send_batch(port_, std::move(batch));
}

std::optional<Refused<FrameBatch>> AggregatorHandle::try_send(FrameBatch batch) const {
  if (port_->holds_senders->load(std::memory_order_acquire)) {
    return Refused<FrameBatch>{Errc::channel_full, std::move(batch)};
  }
  auto refused = port_->data.try_send(std::move(batch));
  if (refused) {
    refused->reason = aggregator::as_seen_by_caller(refused->reason);
  } else {
    port_->ring_when_closed.ring();
  }
  return refused;
}

asio::awaitable<error_code> AggregatorHandle::give_up(FrameBatch batch) const {
  return Port::tell<request::GiveUp>(port_, std::move(batch));
}

asio::awaitable<AggregatorHandle::Result<Amount>> AggregatorHandle::depth() const {
  return Port::ask<request::GetDepth>(port_);
}

asio::awaitable<AggregatorHandle::Result<Tail>> AggregatorHandle::tail(TailQuery query) const {
  return Port::tail(port_, query);
}

asio::awaitable<AggregatorHandle::Result<std::uint64_t>> AggregatorHandle::flush() const {
  return Port::flush(port_);
}

asio::awaitable<AggregatorHandle::Result<AggregatorStats>> AggregatorHandle::stats() const {
  return Port::ask<request::GetStats>(port_);
}

asio::awaitable<AggregatorHandle::Result<std::vector<OriginStats>>> AggregatorHandle::origins()
    const {
  return Port::origins(port_);
}

asio::awaitable<AggregatorHandle::Result<std::vector<OriginStats>>> AggregatorHandle::origins(
    std::size_t from, std::size_t count) const {
  return Port::origins(port_, from, count);
}

asio::awaitable<AggregatorHandle::Result<OriginPage>> AggregatorHandle::origin_page(
    std::size_t from, std::size_t count) const {
  return Port::ask<request::GetOrigins>(port_, from, count);
}

asio::awaitable<AggregatorHandle::Result<std::uint64_t>> AggregatorHandle::forget(
    SatelliteId satellite_id, std::optional<ChannelId> channel_id) const {
  return Port::forget(port_, satellite_id, channel_id);
}

asio::awaitable<AggregatorHandle::Result<OriginStats>> AggregatorHandle::sum_origins(
    std::size_t from) const {
  return Port::sum_origins(port_, from);
}

asio::awaitable<AggregatorHandle::Result<FinalState>> AggregatorHandle::shut_down() const {
  return Port::ask<request::ShutDown>(port_);
}

namespace {

asio::awaitable<void> run_actor(AggregatorOptions options, Receiver<FrameBatch> data,
                                Receiver<request::Request> control, std::shared_ptr<Doorbell> bell,
                                std::shared_ptr<aggregator::HoldsSenders> holds_senders) {
  const asio::any_io_executor strand = co_await asio::this_coro::executor;
  aggregator::Actor actor(options, strand, std::move(data), std::move(control), std::move(bell),
                          std::move(holds_senders));
  co_await actor.run();
}

void check(const AggregatorOptions& options) {
  const auto at_least_one = [](const char* name, std::uint64_t value) {
    if (value == 0) {
      throw std::invalid_argument(std::string(name) + " must be at least 1");
    }
  };
  at_least_one("channel_capacity", options.channel_capacity);
  at_least_one("buffer.max_frames", options.buffer.max_frames);
  at_least_one("buffer.max_bytes", options.buffer.max_bytes);
  at_least_one("max_tracked", options.max_tracked);
  std::set<std::string_view> names;
  for (const ConsumerOptions& consumer : options.consumers) {
    if (!names.insert(consumer.name).second) {
      throw std::invalid_argument("two consumers are called " + consumer.name);
    }
  }
  if (options.reset_after < 2) {
    throw std::invalid_argument("reset_after must be at least 2");  // one frame shows no new count
  }
}

}  // namespace

AggregatorHandle spawn_aggregator(const asio::any_io_executor& executor,
                                  const AggregatorOptions& options) {
  check(options);
  const asio::any_io_executor strand = asio::make_strand(executor);
  auto [data_tx, data_rx] = channel<FrameBatch>(strand, options.channel_capacity);
  auto [control_tx, control_rx] = channel<request::Request>(strand, control_capacity);
  auto bell = std::make_shared<Doorbell>(strand);
  auto holds_senders = std::make_shared<aggregator::HoldsSenders>(false);
  asio::co_spawn(strand,
                 run_actor(options, std::move(data_rx), std::move(control_rx), bell, holds_senders),
                 runtime::rethrow);
  return AggregatorHandle(std::make_shared<const AggregatorHandle::Port>(
      AggregatorHandle::Port{.ring_when_closed = aggregator::RingAtExit(std::move(bell)),
                             .data = std::move(data_tx),
                             .control = std::move(control_tx),
                             .executor = executor,
                             .holds_senders = std::move(holds_senders)}));
}

}  // namespace meridian::inline v2
