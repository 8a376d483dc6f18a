// Senders on several threads that race with the receiver's end.
#include <meridian/channel.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <optional>
#include <utility>
#include <vector>

namespace meridian::test {
namespace {

/// Counts how many of its kind were made, received, and destroyed without being received.
struct Tally {
  std::atomic<int> sent{0};
  std::atomic<int> refused{0};
  std::atomic<int> received{0};
  std::atomic<int> destroyed{0};
};

class Tracked {
 public:
  explicit Tracked(Tally& tally) : tally_(&tally) {}
  Tracked(Tracked&& other) noexcept : tally_(std::exchange(other.tally_, nullptr)) {}
  Tracked& operator=(Tracked&& other) noexcept {
    std::swap(tally_, other.tally_);
    return *this;
  }
  ~Tracked() {
    if (tally_ != nullptr) {
      ++tally_->destroyed;
    }
  }

 private:
  Tally* tally_;
};

asio::awaitable<void> send_until_refused(Sender<Tracked> tx, Tally* tally) {
  for (int i = 0;; ++i) {
    if (i % 2 == 0) {
      const auto refused = tx.try_send(Tracked(*tally));
      if (!refused) {
        ++tally->sent;
        continue;
      }
      ++tally->refused;
      if (refused->reason == Errc::receiver_gone) {
        co_return;
      }
    } else {
      const error_code ec = co_await tx.send(Tracked(*tally));
      if (ec) {
        EXPECT_EQ(ec, Errc::receiver_gone);
        ++tally->refused;
        co_return;
      }
      ++tally->sent;
    }
  }
}

asio::awaitable<void> receive_some(Receiver<Tracked> rx, int count, Tally* tally) {
  for (int i = 0; i < count; ++i) {
    const std::optional<Tracked> message = co_await rx.receive();
    ++tally->received;
  }
}  // the receiver goes, in the middle of the sends

TEST(ChannelRace, EverySuccessfulSendIsReceivedOrDestroyed) {
  for (int round = 0; round < 300; ++round) {
    Tally tally;
    {
      asio::thread_pool pool(4);
      auto ends = channel<Tracked>(pool.get_executor(), 3);
      std::vector<std::future<void>> done;
      for (int sender = 0; sender < 4; ++sender) {
        done.push_back(
            asio::co_spawn(pool, send_until_refused(ends.first, &tally), asio::use_future));
      }
      done.push_back(asio::co_spawn(pool, receive_some(std::move(ends.second), round % 20, &tally),
                                    asio::use_future));
      for (std::future<void>& each : done) {
        each.get();  // hangs where a parked sender is forgotten
      }
      const Sender<Tracked> tx = std::move(ends.first);
      EXPECT_TRUE(tx.closed());
      EXPECT_EQ(tx.level().length, 0U);
      pool.join();
    }
    // Each message was destroyed once, wherever it ended.
    EXPECT_EQ(tally.destroyed, tally.sent + tally.refused);
    // What was sent and not received was in the channel when the receiver went: at most what it
    // holds, 3.
    EXPECT_EQ(tally.received, round % 20);
    EXPECT_GE(tally.sent, tally.received);
    EXPECT_LE(tally.sent, tally.received + 3);
  }
}

}  // namespace
}  // namespace meridian::test
