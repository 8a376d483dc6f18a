// A bounded channel with cloned senders: four uplinks send three frames each; the receiver sees the
// end when the last sender is gone.
#include <meridian/channel.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <exception>
#include <iostream>
#include <utility>
#include <vector>

namespace asio = boost::asio;

struct Frame {
  std::uint32_t satellite_id;
  std::vector<std::uint8_t> payload;
};

asio::awaitable<void> run_uplink(meridian::Sender<Frame> tx, std::uint32_t satellite_id) {
  for (std::uint8_t sequence = 0; sequence < 3; ++sequence) {
    Frame frame{satellite_id, {sequence}};
    const auto ec = co_await tx.send(std::move(frame));  // waits while the channel is full
    if (ec) {
      std::cerr << "uplink " << satellite_id << ": " << ec.message() << '\n';
      co_return;
    }
  }
}

asio::awaitable<void> receive_all(meridian::Receiver<Frame> rx) {
  int received = 0;
  for (;;) {
    const auto frame = co_await rx.receive();
    if (!frame) {
      break;  // all senders are gone
    }
    std::cout << "satellite " << frame->satellite_id << ": frame " << int{frame->payload[0]}
              << '\n';
    ++received;
  }
  std::cout << "received " << received << " frames\n";
}

void rethrow(std::exception_ptr error) {
  if (error) {
    std::rethrow_exception(error);
  }
}

int main() {
  asio::io_context context;
  auto [tx, rx] = meridian::channel<Frame>(context.get_executor(), 4);
  for (std::uint32_t satellite_id = 0; satellite_id < 4; ++satellite_id) {
    asio::co_spawn(context, run_uplink(tx, satellite_id), rethrow);
  }
  asio::co_spawn(context, receive_all(std::move(rx)), rethrow);
  {
    // The original must go too: as long as it lives, the stream does not end.
    const auto original = std::move(tx);
  }
  context.run();
}
