#include "sim/uplink.hpp"

#include "runtime/use_tuple.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace meridian::sim {

namespace {

using runtime::use_tuple;

/// The shortest wait for the next frames of a rate. All frames that are then due go together.
constexpr std::chrono::milliseconds shortest_pause{1};

}  // namespace

Uplink::Uplink(const asio::any_io_executor& strand, const Options& options,
               std::unique_ptr<Source> source, Totals& totals)
    : options_(options),
      source_(std::move(source)),
      totals_(totals),
      socket_(strand),
      timer_(strand) {}

asio::awaitable<void> Uplink::run(asio::ip::tcp::resolver::results_type endpoints) {
  co_await connect(std::move(endpoints));
  if (failure_.empty()) {
    co_await send_all();
  }
  if (failure_.empty()) {
    co_await wait_until_taken();
  }
  error_code ignored;
  socket_.close(ignored);
  totals_.done.fetch_add(1, std::memory_order_relaxed);
}

void Uplink::stop(const std::string& why) {
  asio::dispatch(socket_.get_executor(), [self = shared_from_this(), why] {
    self->stopped_ = why;
    self->timer_.cancel();
    error_code ignored;
    self->socket_.close(ignored);
  });
}

void Uplink::fail(const std::string& what, const error_code& ec) {
  if (failure_.empty()) {
    failure_ = stopped_ ? *stopped_ : what + ": " + ec.message();
  }
}

asio::awaitable<void> Uplink::connect(asio::ip::tcp::resolver::results_type endpoints) {
  error_code ec = asio::error::host_not_found;
  for (const auto& entry : endpoints) {
    error_code ignored;
    socket_.close(ignored);
    socket_.open(entry.endpoint().protocol(), ec);
    if (!ec && !stopped_) {
      const auto [failed] = co_await socket_.async_connect(entry.endpoint(), use_tuple);
      ec = failed;
    }
    if (!ec || stopped_) {
      break;
    }
  }
  if (ec || stopped_) {
    fail(fmt::format("cannot connect to {}:{}", options_.host, options_.port), ec);
    co_return;
  }
  error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket_.non_blocking(true, ignored);
  started_at_ = Clock::now();
}

bool Uplink::time_is_over() const {
  return options_.duration && Clock::now() - started_at_ >= *options_.duration;
}

asio::awaitable<void> Uplink::send_all() {
  const std::uint64_t wanted = options_.frames.value_or(std::numeric_limits<std::uint64_t>::max());
  while (failure_.empty() && sent_ < wanted && !time_is_over()) {
    if (stopped_) {
      fail("", {});
      co_return;
    }
    const std::uint64_t due = co_await wait_until_due();
    if (due == 0) {
      continue;
    }
    const Chunk chunk = source_->next(std::min(due, wanted - sent_));
    if (chunk.frames == 0) {
      co_return;
    }
    co_await write(chunk);
  }
}

/// How many more frames the rate allows now. If it allows none, waits a little and returns 0.
asio::awaitable<std::uint64_t> Uplink::wait_until_due() {
  if (options_.rate <= 0) {
    co_return std::numeric_limits<std::uint64_t>::max();
  }
  const std::chrono::duration<double> elapsed = Clock::now() - started_at_;
  // No hardware reaches the limit, which is below 2^53 so that a double holds it exactly.
  const auto allowed =
      static_cast<std::uint64_t>(std::min(elapsed.count() * options_.rate, 9e15)) + 1;
  if (allowed > sent_) {
    co_return allowed - sent_;
  }
  const std::chrono::duration<double> until_next(static_cast<double>(sent_) / options_.rate -
                                                 elapsed.count());
  auto pause = std::max<Clock::duration>(shortest_pause,
                                         std::chrono::duration_cast<Clock::duration>(until_next));
  if (options_.duration) {
    const auto left = started_at_ + *options_.duration - Clock::now();
    pause = std::min(pause, std::chrono::duration_cast<Clock::duration>(left) + shortest_pause);
  }
  timer_.expires_after(pause);
  std::ignore = co_await timer_.async_wait(use_tuple);
  co_return 0;
}

asio::awaitable<void> Uplink::write(Chunk chunk) {
  std::span<const std::byte> rest = chunk.octets;
  while (!rest.empty()) {
    error_code ec;
    const std::size_t written = socket_.write_some(asio::buffer(rest.data(), rest.size()), ec);
    rest = rest.subspan(written);
    totals_.octets.fetch_add(written, std::memory_order_relaxed);
    if (ec == asio::error::would_block) {
      const Clock::time_point held_since = Clock::now();
      const auto [wait_failed] =
          co_await socket_.async_wait(asio::socket_base::wait_write, use_tuple);
      const std::chrono::nanoseconds held = Clock::now() - held_since;
      totals_.held_ns.fetch_add(static_cast<std::uint64_t>(held.count()),
                                std::memory_order_relaxed);
      ec = stopped_ ? asio::error::operation_aborted : wait_failed;
    }
    if (ec) {
      fail("the daemon ended the connection", ec);
      co_return;
    }
  }
  sent_ += chunk.frames;
  totals_.frames.fetch_add(chunk.frames, std::memory_order_relaxed);
  // Lets other uplinks on this thread run.
  co_await asio::post(socket_.get_executor(), asio::use_awaitable);
}

asio::awaitable<void> Uplink::wait_until_taken() {
  if (stopped_) {
    fail("", {});
    co_return;
  }
  error_code ec;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ec);
  std::array<char, 1> nothing{};
  const auto [end, bytes] = co_await socket_.async_read_some(asio::buffer(nothing), use_tuple);
  if (end != asio::error::eof) {
    fail("the daemon did not accept everything", end);
  }
}

}  // namespace meridian::sim
