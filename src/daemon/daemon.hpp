/// The daemon, which puts all parts together.
#pragma once

#include "control/server.hpp"
#include "daemon/heartbeat.hpp"
#include "daemon/housekeeping.hpp"
#include "daemon/listeners.hpp"
#include "daemon/read_config.hpp"
#include "daemon/reloads.hpp"
#include "daemon/reports.hpp"
#include "daemon/stop_deadline.hpp"
#include "runtime/nearest_executor.hpp"
#include "runtime/part.hpp"
#include "service/inherited_sockets.hpp"
#include "service/notifier.hpp"
#include "state/state_directory.hpp"
#include "status/client_counters.hpp"
#include "status/pulse.hpp"
#include "status/sink_table.hpp"
#include "status/sources.hpp"
#include "status/state_report.hpp"
#include "status/uplink_table.hpp"

#include <meridian/aggregator.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <atomic>
#include <deque>
#include <exception>
#include <memory>
#include <optional>
#include <vector>

namespace meridian::daemon {

/// All parts of a running daemon.
///
/// Threads: `run` runs each execution context on a thread of its own, one of them on the calling
/// thread. Uplinks are spread over several threads; the control socket, the HTTP server and each
/// sink have one each. The aggregator's strand runs on the thread of the uplink that calls it, and
/// for all other callers on a thread of its own. So the strand never waits until an answer is
/// encoded, and no answer waits for a read.
class Daemon {
 public:
  /// Opens the control socket, the HTTP server if it is on, and the listeners, or takes their
  /// sockets from `inherited`. Throws if one is not available.
  explicit Daemon(const Config& config, ReadConfig read_config = default_config,
                  service::InheritedSockets inherited = {});

  /// Restores the state of the last stop, and serves until SIGTERM, SIGINT or another signal that
  /// asks it to stop; SIGHUP reloads the configuration. Then an orderly stop follows: the daemon
  /// accepts no more, lets sessions hand over what they have read, and takes in what is in the
  /// channel. Then it saves what remains, and logs how much that is.
  ///
  /// An exception that is not confined to a session also leads to an orderly stop. It is a bug,
  /// such as a ledger that does not balance, or memory has run out.
  ///
  /// Returns the exit status: 1 after such an exception, or if the stop could not end or save
  /// everything. Throws if the daemon cannot start.
  [[nodiscard]] int run();

  /// Without an orderly stop, handlers that are left in one context refer to other contexts. So
  /// this destroys the handlers of all contexts before it destroys any context.
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

 private:
  class Context : public asio::io_context {
   public:
    using asio::io_context::io_context;
    using asio::io_context::shutdown;  // destroys the handlers that wait in it
  };

  // The start, and the run until the daemon is told to stop: daemon.cpp.

  /// Opens the control socket, the HTTP server if it is on, and the listeners, in that order.
  void open_sockets(const Config& config, std::vector<asio::any_io_executor> uplink_executors);
  void make_sinks();
  [[nodiscard]] std::vector<asio::io_context*> all_contexts();
  /// Restores the state, serves, stops, and saves the state.
  [[nodiscard]] asio::awaitable<void> serve();
  [[nodiscard]] asio::awaitable<void> restore_state();
  [[nodiscard]] asio::awaitable<void> serve_until_told_to_stop();
  [[nodiscard]] asio::awaitable<void> wait_for_stop_signal();
  /// What the daemon does every second in addition to Housekeeping.
  void every_second();
  /// Begins an orderly stop after an unexpected exception. May be called on any thread.
  void broken(const std::exception_ptr& error) noexcept;

  // A reload: daemon_reload.cpp.

  /// Applies a new configuration. Does everything that may fail first: if it throws, it has changed
  /// nothing.
  [[nodiscard]] control::ReloadReport take_up(NewConfig read);
  [[nodiscard]] asio::awaitable<void> settle_reload();
  /// Logs when the file of the control socket has disappeared, or is there again.
  void look_for_control_socket();
  /// Recreates the file of the control socket if it is gone, or logs why that fails. Leaves an
  /// inherited socket alone.
  void mend_control_socket();

  // An orderly stop: daemon_stop.cpp.

  /// Ends all parts but the aggregator, one after the other.
  [[nodiscard]] asio::awaitable<void> stop_parts();
  /// Ends the aggregator, and saves what it held.
  [[nodiscard]] asio::awaitable<void> save_what_is_left();
  [[nodiscard]] Saved save_state(const SavedState& saved);
  /// Releases what keeps the contexts running, so that `run` returns.
  void let_go();
  /// Gives up sessions, clients and sinks that hang.
  void give_up_peers();
  void stop_contexts();

  // The contexts on which the aggregator's strand may run: those of the next two members, its own
  // first. No answer is encoded there.
  runtime::NearestExecutor::Contexts aggregator_contexts_;
  Context aggregator_context_{1};  // for callers on other threads
  std::deque<Context> uplink_contexts_;
  Context control_context_{1};
  Context http_context_{1};  // runs if HTTP is on; its clients delay nothing else
  // One for each sink, since it may wait for a server.
  std::deque<Context> sink_contexts_;
  std::vector<asio::executor_work_guard<asio::io_context::executor_type>> kept_running_;
  asio::signal_set signals_;  // its executor is the daemon's strand
  StopDeadline deadline_;
  status::Pulse pulse_;
  status::Silence silence_;
  Housekeeping housekeeping_;
  service::Notifier notifier_;
  Heartbeat heartbeat_;

  // On the daemon's strand.
  Config config_;
  service::InheritedSockets inherited_;
  Reloads reloads_;
  bool control_socket_is_there_ = true;  // at the last check
  bool stopping_ = false;
  int exit_status_ = 0;
  std::exception_ptr start_failed_;

  std::atomic<bool> broken_{false};

  std::optional<state::StateDirectory> state_;
  status::StateReport state_report_;
  status::UplinkTable uplinks_;
  status::ClientCounters control_clients_;
  status::SinkTable sink_table_;
  std::optional<AggregatorHandle> aggregator_;
  std::optional<status::Sources> sources_;
  std::optional<Listeners> listeners_;
  std::optional<Listeners::Change> first_listeners_;  // from construction until `serve`
  std::shared_ptr<control::Server> control_;
  std::shared_ptr<runtime::Part> http_;  // null: HTTP is off
  std::vector<std::shared_ptr<runtime::Part>> sinks_;
};

}  // namespace meridian::daemon
