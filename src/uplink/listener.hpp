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
#include <vector>

namespace meridian::uplink {

/// Binds in its constructor, so that a port in use is known at the start; accepts from `start` on.
///
/// Runs on the first of the executors; `start` and `stop` may be called from any thread. Must be
/// held by a shared_ptr, and it and the references given must outlive the execution context's
/// `run`.
class Listener : public std::enable_shared_from_this<Listener> {
 public:
  /// Sessions are spread evenly over `executors`, each of which runs one thing at a time: one
  /// session on each reads at a time. Throws std::runtime_error, naming listener and address, where
  /// it cannot listen there.
  Listener(const std::vector<asio::any_io_executor>& executors, ListenerOptions options,
           AggregatorHandle aggregator, status::UplinkTable& table,
           runtime::StopGroup<Session>& group);

  void start();

  /// Accepts no more, and lets go of the address.
  void stop();

 private:
  /// Where sessions run, one thing at a time.
  struct Lane {
    asio::any_io_executor executor;
    std::shared_ptr<Turns> turns;
  };

  void open_session(asio::ip::tcp::socket socket, const Lane& lane);

  asio::ip::tcp::acceptor acceptor_;
  std::vector<Lane> lanes_;
  std::size_t next_lane_ = 0;
  std::shared_ptr<const ListenerOptions> options_;
  AggregatorHandle aggregator_;
  status::UplinkTable& table_;
  runtime::StopGroup<Session>& group_;

  std::shared_ptr<std::atomic<std::size_t>> open_sessions_;  // shared with the sessions
  runtime::LogLimit limit_log_;
};

}  // namespace meridian::uplink
