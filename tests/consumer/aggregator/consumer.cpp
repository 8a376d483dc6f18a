// Sends a frame to an aggregator and drains it, with nothing but the installed headers and library.
#include <meridian/aggregator.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include <cstdio>

namespace asio = boost::asio;

asio::awaitable<std::uint64_t> send_and_drain(meridian::AggregatorHandle aggregator) {
  meridian::FrameBatchBuilder frames;
  frames.append({.origin = {.satellite_id = 7}, .sequence = 1}, {});
  const auto sent = co_await aggregator.send(*frames.finish({}));
  if (sent) {
    co_return 0;
  }
  meridian::DrainQuery query;
  query.max_frames = 10;
  const auto drained = co_await aggregator.drain(query);
  co_return drained->taken.frames;
}

int main() {
  asio::io_context context;
  auto drained = asio::co_spawn(
      context, send_and_drain(meridian::spawn_aggregator(context.get_executor(), {})),
      asio::use_future);
  context.run();
  std::printf("drained %d frames\n", static_cast<int>(drained.get()));
}
