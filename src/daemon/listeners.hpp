/// All uplink listeners of a daemon, and how they change.
#pragma once

#include "service/inherited_sockets.hpp"
#include "status/uplink_table.hpp"
#include "uplink/listener.hpp"

#include <meridian/aggregator.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <memory>
#include <optional>
#include <vector>

namespace meridian::daemon {

/// Confined to the daemon's strand, apart from its construction.
class Listeners {
 public:
  using Options = std::vector<uplink::ListenerOptions>;

  /// Sessions are spread over `executors`.
  Listeners(std::vector<asio::any_io_executor> executors, AggregatorHandle aggregator,
            status::UplinkTable& table);

  /// A prepared change: everything that may fail is done.
  class Change;

  /// Gets the sockets that `next` needs and that are not open yet, from `inherited` or by opening
  /// them. A listener stays the same, and its sessions go on, if its name, framing and satellite do
  /// not change. Changes nothing yet. Throws std::runtime_error if an address is not available.
  [[nodiscard]] Change prepare(const Options& next,
                               const service::InheritedSockets& inherited) const;

  /// Starts new listeners, and stops removed ones and their sessions.
  void carry_out(Change change);

  /// Waits until the sockets of removed listeners are closed, so that their addresses are free.
  [[nodiscard]] asio::awaitable<void> wait_closed();

  /// Stops accepting, and ends all sessions.
  void stop();

  /// Waits until all sessions have handed over what they have read, after `stop`.
  [[nodiscard]] asio::awaitable<void> wait_stopped();

  /// Stops waiting for sessions that have not ended.
  void give_up();

 private:
  struct Entry {
    std::shared_ptr<uplink::Listener> listener;
    uplink::ListenerOptions options;
    int descriptor;  // of its listening socket, open until the listener is told to close it
  };

  [[nodiscard]] const Entry* same_listener(const uplink::ListenerOptions& options) const;
  [[nodiscard]] uplink::Listener::Acceptor acceptor_for(
      const uplink::ListenerOptions& options, const service::InheritedSockets& inherited) const;

  const std::vector<asio::any_io_executor> executors_;
  const AggregatorHandle aggregator_;
  status::UplinkTable& table_;
  std::vector<Entry> entries_;
  std::vector<std::shared_ptr<uplink::Listener>> leaving_;  // removed or stopped; still ending
};

class Listeners::Change {
 private:
  friend class Listeners;

  struct Step {
    uplink::ListenerOptions options;
    std::shared_ptr<uplink::Listener> kept;  // null: a new one
    int descriptor = -1;
    std::optional<uplink::Listener::Acceptor> acceptor;  // empty: the socket stays
  };
  std::vector<Step> steps_;
};

}  // namespace meridian::daemon
