// Millions of messages on more threads than cores: each is received exactly once, in order per
// sender.
#include <meridian/channel.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <future>
#include <string>
#include <utility>
#include <vector>

namespace meridian::test {
namespace {

constexpr std::size_t threads = 8;
constexpr std::size_t senders = 6;
constexpr std::size_t capacity = 64;

/// Ten million, unless MERIDIAN_TEST_MESSAGES says otherwise: fewer where a sanitizer makes each
/// twenty times slower, more for a soak.
const std::uint64_t messages = [] {
  const char* const set = std::getenv("MERIDIAN_TEST_MESSAGES");
  return set == nullptr ? 10'000'000 : std::stoull(set);
}();

struct Message {
  std::size_t sender;
  std::uint64_t sequence;
};

/// How many messages sender number `sender` sends.
std::uint64_t share_of(std::size_t sender) {
  return messages / senders + (sender < messages % senders ? 1 : 0);
}

/// Sends 0, 1, … , taking turns between waiting and not waiting for room.
asio::awaitable<void> send_share(Sender<Message> tx, std::size_t sender) {
  for (std::uint64_t sequence = 0; sequence < share_of(sender); ++sequence) {
    Message message{sender, sequence};
    if (sequence % 2 == 0) {
      auto refused = tx.try_send(message);
      if (!refused) {
        continue;
      }
      EXPECT_EQ(refused->reason, Errc::channel_full);
      message = refused->value;
    }
    const error_code ec = co_await tx.send(message);
    if (ec) {
      ADD_FAILURE() << "sender " << sender << " at " << sequence << ": " << ec.message();
      co_return;
    }
  }
}

struct Tally {
  std::array<std::uint64_t, senders> received{};  ///< the next sequence of each sender
  std::uint64_t out_of_order = 0;
};

asio::awaitable<Tally> receive_all(Receiver<Message> rx) {
  Tally tally;
  for (;;) {
    const std::optional<Message> message = co_await rx.receive();
    if (!message) {
      co_return tally;
    }
    std::uint64_t& next = tally.received.at(message->sender);
    tally.out_of_order += message->sequence == next ? 0 : 1;
    ++next;
  }
}

TEST(ChannelStress, DeliversMillionsOfMessagesOnceAndInOrder) {
  asio::thread_pool pool(threads);
  auto ends = channel<Message>(pool.get_executor(), capacity);
  std::future<Tally> received =
      asio::co_spawn(pool, receive_all(std::move(ends.second)), asio::use_future);
  std::vector<std::future<void>> sent;
  for (std::size_t sender = 0; sender < senders; ++sender) {
    sent.push_back(asio::co_spawn(pool, send_share(ends.first, sender), asio::use_future));
  }
  std::ignore = Sender<Message>(std::move(ends.first));

  const Tally tally = received.get();  // comes only if the end of the stream does
  for (std::future<void>& each : sent) {
    each.get();
  }
  EXPECT_EQ(tally.out_of_order, 0U);
  for (std::size_t sender = 0; sender < senders; ++sender) {
    EXPECT_EQ(tally.received[sender], share_of(sender)) << "sender " << sender;
  }
  pool.join();
}

}  // namespace
}  // namespace meridian::test
