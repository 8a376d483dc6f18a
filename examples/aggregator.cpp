// The telemetry aggregator: four uplinks send three frames each; then the depth is asked for and
// everything is drained.
#include <meridian/aggregator.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <future>
#include <iostream>
#include <thread>
#include <utility>
#include <vector>

namespace asio = boost::asio;

meridian::FrameBatch make_frame(std::uint32_t satellite_id, std::uint64_t sequence) {
  std::array<std::byte, 64> payload{};
  payload.fill(static_cast<std::byte>(satellite_id));
  const meridian::FrameHeader header{.origin = {.satellite_id = satellite_id},
                                     .sequence = sequence};
  meridian::FrameBatchBuilder builder;
  builder.append(header, payload);
  return *builder.finish({});
}

asio::awaitable<void> run_uplink(meridian::AggregatorHandle aggregator,
                                 std::uint32_t satellite_id) {
  for (std::uint64_t sequence = 0; sequence < 3; ++sequence) {
    const auto ec = co_await aggregator.send(make_frame(satellite_id, sequence));
    if (ec) {
      std::cerr << "uplink " << satellite_id << ": " << ec.message() << '\n';
      co_return;
    }
  }
}

asio::awaitable<void> ask(meridian::AggregatorHandle aggregator) {
  const auto depth = co_await aggregator.depth();
  std::cout << "buffered: " << depth.value().frames << '\n';

  const meridian::DrainQuery everything{.max_frames = depth.value().frames};
  const auto drained = co_await aggregator.drain(everything);
  std::cout << "drained " << drained.value().taken.frames << " frames\n";
}

int main() {
  asio::io_context context;
  auto work = asio::make_work_guard(context);
  std::thread thread([&context] { context.run(); });
  {
    const auto aggregator =
        meridian::spawn_aggregator(context.get_executor(), {.channel_capacity = 128});
    std::vector<std::future<void>> uplinks;
    uplinks.reserve(4);
    for (std::uint32_t satellite_id = 0; satellite_id < 4; ++satellite_id) {
      uplinks.push_back(
          asio::co_spawn(context, run_uplink(aggregator, satellite_id), asio::use_future));
    }
    for (auto& uplink : uplinks) {
      uplink.get();
    }
    asio::co_spawn(context, ask(aggregator), asio::use_future).get();
  }  // the last handle goes, and the aggregator ends
  work.reset();
  thread.join();
}
