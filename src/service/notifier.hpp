/// What the service manager is told, where there is one.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/local/datagram_protocol.hpp>

#include <deque>
#include <string>
#include <string_view>

namespace meridian::service {

namespace asio = boost::asio;

/// Speaks the protocol of sd_notify(3) to $NOTIFY_SOCKET, and is silent where that is not set. Not
/// libsystemd's sd_notify: that waits while the service manager does not read, and the daemon with
/// it.
///
/// Confined to one strand; no call waits.
class Notifier {
 public:
  explicit Notifier(const asio::any_io_executor& strand);

  // Sent in their order, as soon as there is room.
  void ready();
  void reloading();
  void stopping();

  /// The daemon still turns, and a line about what it does. Left out where there is no room:
  /// another one follows.
  void alive(std::string_view status);

  /// Gives up what still waits for room.
  void close();

 private:
  void send(std::string state);
  void send_waiting();

  asio::local::datagram_protocol::socket socket_;
  std::deque<std::string> waiting_;
};

}  // namespace meridian::service
