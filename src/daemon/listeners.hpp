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

  /// A change of which everything that may fail has been done.
  class Change;

  /// Gets the sockets that `next` needs besides those that are there: from `inherited`, or of its
  /// own. A listener is the same if its name, framing and satellite are: then its sessions go on.
  /// Nothing has changed yet. Throws std::runtime_error where an address cannot be had.
  [[nodiscard]] Change prepare(const Options& next,
                               const service::InheritedSockets& inherited) const;

  /// Listeners that are new begin to accept, those that are no more end their sessions.
  void carry_out(Change change);

  /// Waits until sockets of listeners that are no more are closed, so that others can have their
  /// addresses.
  [[nodiscard]] asio::awaitable<void> wait_closed();

  /// Accepts no more, and ends all sessions.
  void stop();

  /// Waits until all sessions have handed over what they have read, after `stop`.
  [[nodiscard]] asio::awaitable<void> wait_stopped();

  /// Nobody waits any longer for sessions that do not end.
  void give_up();

 private:
  struct Entry {
    std::shared_ptr<uplink::Listener> listener;
    uplink::ListenerOptions options;
    int descriptor;  // of its listening socket, which it does not close before it is told to
  };

  [[nodiscard]] const Entry* same_listener(const uplink::ListenerOptions& options) const;
  [[nodiscard]] uplink::Listener::Acceptor acceptor_for(
      const uplink::ListenerOptions& options, const service::InheritedSockets& inherited) const;

  const std::vector<asio::any_io_executor> executors_;
  const AggregatorHandle aggregator_;
  status::UplinkTable& table_;
  std::vector<Entry> entries_;
  std::vector<std::shared_ptr<uplink::Listener>> leaving_;  // removed, with sessions that end
};

class Listeners::Change {
 private:
  friend class Listeners;

  struct Step {
    uplink::ListenerOptions options;
    std::shared_ptr<uplink::Listener> kept;  // nothing: a new one
    int descriptor = -1;
    std::optional<uplink::Listener::Acceptor> acceptor;  // nothing: the socket stays
  };
  std::vector<Step> steps_;
};

}  // namespace meridian::daemon
