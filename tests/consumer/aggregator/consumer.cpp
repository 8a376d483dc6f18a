// Decodes octets, sends the frame to an aggregator and drains it, with nothing but the installed
// headers and library.
#include <meridian/aggregator.hpp>
#include <meridian/decoder.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include <cstddef>
#include <cstdio>
#include <memory>
#include <span>
#include <utility>

namespace asio = boost::asio;

asio::awaitable<std::uint64_t> send_and_drain(meridian::AggregatorHandle aggregator) {
  constexpr std::size_t size = 20;
  const std::shared_ptr<std::byte[]> slab(new std::byte[size]{});
  slab[3] = std::byte{16};  // the length field: a header without payload
  slab[7] = std::byte{7};   // the satellite
  const auto decoder = meridian::make_decoder({.framing = meridian::Framing::length_prefixed});
  auto found = decoder->decode({slab, size, std::span(slab.get(), size)}, {.session = 1});
  const auto sent = co_await aggregator.send(std::move(found.batch).value());
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
