// try_send, where waiting is not an option: what does not fit is dropped, and counted. The channel
// holds 8 frames and nothing receives meanwhile, so 4 of 12 frames are dropped.
#include <meridian/channel.hpp>

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <iostream>
#include <utility>
#include <vector>

using Frame = std::vector<std::uint8_t>;

bool forward_or_drop(const meridian::Sender<Frame>& tx, Frame frame) {
  const auto refused = tx.try_send(std::move(frame));
  if (!refused) {
    return true;
  }
  if (refused->reason == meridian::Errc::channel_full) {
    std::cout << "dropped a frame of " << refused->value.size()
              << " octets: " << refused->reason.message() << '\n';
  } else {
    std::cout << "cannot send: " << refused->reason.message() << '\n';
  }
  return false;
}

int main() {
  boost::asio::io_context context;
  auto [tx, rx] = meridian::channel<Frame>(context.get_executor(), 8);
  int dropped = 0;
  for (std::uint8_t i = 0; i < 12; ++i) {
    dropped += forward_or_drop(tx, Frame{i}) ? 0 : 1;
  }
  std::cout << "sent 12, dropped " << dropped << '\n';

  int received = 0;
  while (rx.try_receive()) {
    ++received;
  }
  std::cout << "received " << received << " frames\n";
}
