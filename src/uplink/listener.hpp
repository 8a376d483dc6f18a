/// Accepts uplinks on one address.
#pragma once

#include "runtime/log_limit.hpp"
#include "runtime/stop_group.hpp"
#include "status/uplink_table.hpp"
#include "uplink/options.hpp"
#include "uplink/session.hpp"

#include <meridian/aggregator.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <atomic>
#include <cstddef>
#include <memory>

namespace meridian::uplink {

/// Binds in its constructor, so that a port in use is known at the start; accepts from `start` on.
///
/// Runs on a strand of its own; `start` and `stop` may be called from any thread. Must be held by a
/// shared_ptr, and it and the references given must outlive the execution context's `run`.
class Listener : public std::enable_shared_from_this<Listener> {
 public:
  /// As many sessions read at a time as there are `threads`. Throws std::runtime_error, naming
  /// listener and address, where it cannot listen there.
  Listener(const asio::any_io_executor& executor, std::size_t threads, ListenerOptions options,
           AggregatorHandle aggregator, status::UplinkTable& table,
           runtime::StopGroup<Session>& group);

  void start();

  /// Accepts no more, and lets go of the address.
  void stop();

 private:
  void open_session(asio::ip::tcp::socket socket);

  asio::any_io_executor executor_;
  asio::ip::tcp::acceptor acceptor_;  // its executor is the listener's strand
  std::shared_ptr<const ListenerOptions> options_;
  std::shared_ptr<Turns> turns_;
  AggregatorHandle aggregator_;
  status::UplinkTable& table_;
  runtime::StopGroup<Session>& group_;

  std::shared_ptr<std::atomic<std::size_t>> open_sessions_;  // shared with the sessions
  runtime::LogLimit limit_log_;
};

}  // namespace meridian::uplink
