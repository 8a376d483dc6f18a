// Restarts in a row while uplinks send: nothing that was counted is lost or comes twice.
#include "integration/harness/bound_socket.hpp"
#include "integration/harness/saved_state.hpp"
#include "integration/harness/senders.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <regex>
#include <string>

#include <signal.h>

namespace meridian::test {
namespace {

/// What has come out of the daemons.
class Drained {
 public:
  void add(std::string_view octets) {
    test::for_each_native(octets, [this](std::uint32_t id, std::uint64_t sequence, std::size_t) {
      ++frames_;
      faults_ += sequence == next_[id]++ ? 0 : 1;
    });
  }

  [[nodiscard]] std::uint64_t frames() const noexcept { return frames_; }
  /// Frames that did not come in their turn: lost, twice or out of order.
  [[nodiscard]] std::uint64_t faults() const noexcept { return faults_; }
  [[nodiscard]] std::uint64_t of(std::uint32_t id) const {
    const auto found = next_.find(id);
    return found == next_.end() ? 0 : found->second;
  }

 private:
  std::map<std::uint32_t, std::uint64_t> next_;
  std::uint64_t frames_ = 0;
  std::uint64_t faults_ = 0;
};

class RestartUnderLoad : public StateTest {
 protected:
  static constexpr std::uint64_t room = 20'000;
  static constexpr std::uint64_t capacity = 4;

  void start_next() {
    start({{"uplinks", {native_listener({{"listen", port_.address()}})}},
           {"buffer", {{"max_frames", room}, {"when_full", "backpressure"}}},
           {"channel", {{"capacity", capacity}}}},
          {.sockets = {{"uplink", port_.descriptor()}}});
  }

  std::uint64_t stat(const char* pointer) { return daemon().stat(pointer); }
  std::uint64_t received() { return stat("/ledger/received"); }

  void drain(std::uint64_t max_frames) {
    ControlClient control = daemon().connect();
    drained_.add(control.drain_binary({{"max_frames", max_frames}}).octets);
  }

  /// Takes what is above half of the room, so that frames come in again: each stop takes in what
  /// was held.
  void make_room() {
    if (const std::uint64_t frames = stat("/buffer/frames"); frames > room / 2) {
      drain(frames - room / 2);
    }
  }

  /// Stops the daemon in the middle of what it does in the `round`.
  void stop_in(std::uint64_t round) {
    const std::uint64_t before = received();
    if (round % 4 != 0) {
      make_room();
    }
    switch (round % 4) {
      case 0:  // it has hardly begun
        stop();
        break;
      case 1:  // frames come in
        ASSERT_TRUE(eventually([&] { return received() > before; }));
        stop();
        break;
      case 2:  // all are held
        ASSERT_TRUE(eventually([&] { return stat("/channel/length") == capacity; }));
        stop();
        break;
      case 3:
        stop_in_the_middle_of_a_drain();
        break;
    }
  }

  void stop_in_the_middle_of_a_drain() {
    ControlClient reader = daemon().connect();
    reader.send_line(rpc("drain", {{"max_frames", 1'000'000'000}, {"format", "binary"}}));
    stop();
    const std::string answer = reader.socket().wait_closed();
    const std::size_t line = answer.find('\n') + 1;
    if (line == 0) {
      return;
    }
    // What was not written to its end goes back, and so it comes again.
    const Json result = Json::parse(answer.substr(0, line)).at("result");
    if (answer.size() - line == result.at("bytes").get<std::size_t>()) {
      drained_.add(std::string_view(answer).substr(line));
    }
  }

  /// Frames that remained when the last daemon stopped.
  std::uint64_t remained() {
    std::smatch found;
    const std::string log = daemon().log();
    const std::regex pattern(R"(stopped: (\d+) frames .* and are saved)");
    return std::regex_search(log, found, pattern) ? std::stoull(found[1]) : 0;
  }

  BoundSocket port_ = BoundSocket::listening_port();
  Drained drained_;
};

TEST_F(RestartUnderLoad, NothingCountedIsLostOrComesTwice) {
  const std::uint64_t restarts = scaled(100);
  Senders senders(port_.port(), 4);
  start_next();
  for (std::uint64_t round = 0; round < restarts; ++round) {
    SCOPED_TRACE(fmt::format("restart {}", round + 1));
    const std::uint64_t counted = received();
    ASSERT_NO_FATAL_FAILURE(stop_in(round));
    const std::uint64_t left = remained();
    start_next();
    ASSERT_EQ(stat("/state/restored"), left);
    ASSERT_EQ(stat("/state/not_restored"), 0U);
    ASSERT_GE(received(), counted);
    ASSERT_EQ(stat("/ledger/drained"), drained_.frames());
  }

  senders.finish();
  ASSERT_TRUE(eventually(
      [&] {
        drain(room);
        return senders.finished();
      },
      at_most(std::chrono::seconds(20))));
  drain(1'000'000'000);
  const Json stats = daemon().call("stats");
  EXPECT_TRUE(balanced(stats));
  EXPECT_EQ(stats.at("ledger").at("buffered"), 0);
  EXPECT_EQ(stats.at("ledger").at("received"), drained_.frames());
  EXPECT_EQ(drained_.faults(), 0U);
  EXPECT_GT(drained_.frames(), restarts * room / 4) << "there was a load";

  std::uint64_t of_all = 0;
  for (const auto& [id, connection] : senders.join()) {
    const std::uint64_t frames = drained_.of(id);
    of_all += frames;
    if (connection.ended_in_order) {
      EXPECT_EQ(frames, connection.sent) << "of connection " << id;
    } else {
      EXPECT_LE(frames, connection.sent) << "of connection " << id;
    }
  }
  EXPECT_EQ(of_all, drained_.frames());
}

}  // namespace
}  // namespace meridian::test
