/// A way to a server, which a test can break.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace meridian::test {

/// Listens on a port of its own. Connects each client to the port `target` of 127.0.0.1, and passes
/// octets on in both directions. Runs in a thread of its own. Thread-safety: all members may be
/// called from any thread.
class Relay {
 public:
  explicit Relay(std::uint16_t target);
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;
  ~Relay();

  /// "nats://127.0.0.1:43210"
  [[nodiscard]] const std::string& url() const noexcept { return url_; }

  /// From now on delays everything by `delay` in each direction, so a round trip takes twice as
  /// long. Meanwhile any number of octets may be on their way.
  void set_delay(std::chrono::milliseconds delay) { delay_ = delay; }

  /// Resets all connections, in the middle of whatever they carry. Clients may connect again.
  void cut();

  /// Swallows what the server sends from now on, until `pass_answers`. Connections stay open.
  void swallow_answers();
  /// Passes answers on again. Resets all connections, since a part of their octets is missing.
  void pass_answers();
  /// How often a text occurs in the answers swallowed since the last `swallow_answers`.
  [[nodiscard]] std::size_t swallowed(std::string_view text) const;

 private:
  using tcp = boost::asio::ip::tcp;
  struct Connection;

  void accept();
  /// Swallows an answer, if answers are swallowed now. If this returns false, the caller passes the
  /// answer on.
  [[nodiscard]] bool swallow(std::string_view answer);

  boost::asio::io_context context_{1};
  tcp::acceptor acceptor_;
  const tcp::endpoint target_;
  const std::string url_;
  std::atomic<std::chrono::milliseconds> delay_{};
  mutable std::mutex mutex_;
  std::optional<std::string> swallowed_;  // protected by mutex_; no value while answers pass
  std::vector<std::weak_ptr<Connection>> connections_;  // used by the thread
  std::jthread thread_;
};

}  // namespace meridian::test
