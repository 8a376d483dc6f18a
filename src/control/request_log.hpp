/// Who asked for what changes something.
#pragma once

#include "control/peer.hpp"
#include "runtime/log_limit.hpp"

#include <cstdint>
#include <string>

namespace meridian::control {

/// Logs the drains, flushes and reloads of one client, by its user id. A client that drains in many
/// portions makes one line a second.
///
/// Not thread-safe.
class RequestLog {
 public:
  explicit RequestLog(const Peer& peer) : peer_(peer) {}
  RequestLog(const RequestLog&) = delete;
  RequestLog& operator=(const RequestLog&) = delete;
  ~RequestLog();

  void drained(std::uint64_t frames);

  /// `what` it did, such as "reload".
  void did(const std::string& what);

 private:
  void log_drains();

  const Peer peer_;
  runtime::LogLimit limit_;
  std::uint64_t drains_ = 0;  // since the last line
  std::uint64_t frames_ = 0;
};

}  // namespace meridian::control
