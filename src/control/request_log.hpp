/// Logs who asked for a change, or for something that the daemon does not do.
#pragma once

#include "control/peer.hpp"
#include "status/json.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace meridian::control {

/// Logs the drains, flushes, reloads and other changes by one client, with its user id. A client
/// that drains in many portions causes at most one line a second.
///
/// Not thread-safe: must be used on the strand of the socket. Must be held by a shared_ptr.
class RequestLog : public std::enable_shared_from_this<RequestLog> {
 public:
  RequestLog(const boost::asio::any_io_executor& strand, const Peer& peer)
      : timer_(strand), peer_(peer) {}
  RequestLog(const RequestLog&) = delete;
  RequestLog& operator=(const RequestLog&) = delete;

  void drained(std::uint64_t frames);

  /// Logs a notification that is not carried out; the client gets no answer.
  void refused_notification(std::string_view why);

  /// Logs that the client is cut off.
  void cut_off(status::CutOff reason, std::string_view why);

  /// The client has gone: logs the drains that are held back.
  void close();

  /// Logs what the client did, such as "reload".
  void did(const std::string& what);

 private:
  void log_drains();

  /// Holds back the drains of the next second, for one line at its end.
  void hold_back();

  boost::asio::steady_timer timer_;  // runs while lines about drains are held back
  const Peer peer_;
  bool holds_back_ = false;
  std::uint64_t drains_ = 0;  // since the last line
  std::uint64_t frames_ = 0;
};

}  // namespace meridian::control
