/// Notifies the service manager, if there is one.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/local/datagram_protocol.hpp>

#include <deque>
#include <string>
#include <string_view>

namespace meridian::service {

namespace asio = boost::asio;

/// Speaks the protocol of sd_notify(3) to $NOTIFY_SOCKET. Does nothing if the variable is not set,
/// or if nothing listens there. It does not use libsystemd's sd_notify, which would block the
/// daemon while the service manager does not read.
///
/// Confined to one strand. No call blocks.
class Notifier {
 public:
  explicit Notifier(const asio::any_io_executor& strand);

  // These are sent in order, as soon as there is room.
  void ready();
  void reloading();
  void stopping();

  /// Says that the daemon is alive, with a line about what it does. Skipped if there is no room,
  /// since the next call sends another.
  void alive(std::string_view status);

  /// Closes the socket, and discards what still waits for room.
  void close();

 private:
  void send(std::string state);
  void send_waiting();

  asio::local::datagram_protocol::socket socket_;
  std::deque<std::string> waiting_;
};

}  // namespace meridian::service
