/// Asks the daemon for what `meridianctl top` shows.
#pragma once

#include "top/figures.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <stdexcept>
#include <string>

namespace meridian::top {

/// The daemon does not answer, or its answer is an error or cannot be read. The text names the
/// control socket.
class NoAnswer : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Does not block, unlike ctl::Client, so that the operator can press keys while no answer comes.
/// Confined to one strand. Must outlive a running `poll`.
class Poller {
 public:
  Poller(const boost::asio::any_io_executor& strand, std::string socket);

  /// Asks over the existing connection, or makes one. If it throws NoAnswer, the next poll makes a
  /// new connection. One call at a time.
  [[nodiscard]] boost::asio::awaitable<Poll> poll();

 private:
  using Socket = boost::asio::local::stream_protocol::socket;

  [[nodiscard]] bool was_closed();
  void connect();
  void watch_deadline();
  [[nodiscard]] boost::asio::awaitable<Poll> ask();
  [[nodiscard]] boost::asio::awaitable<nlohmann::ordered_json> read_result();
  [[nodiscard]] NoAnswer failure(const std::string& what) const;

  std::string path_;
  Socket socket_;
  boost::asio::steady_timer deadline_;
  std::string received_;
  bool too_late_ = false;
};

}  // namespace meridian::top
