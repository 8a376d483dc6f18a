/// The one place where everything is put together.
#pragma once

#include "control/server.hpp"
#include "daemon/config.hpp"
#include "daemon/heartbeat.hpp"
#include "daemon/housekeeping.hpp"
#include "daemon/listeners.hpp"
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
/// Threads: `run` runs each execution context on a thread, one of them the calling thread. Uplinks
/// are spread over several; the control socket, the HTTP server and each sink have one for
/// themselves. The aggregator's strand runs on the thread of whichever uplink has something for it,
/// and for all others on one of its own: so it never waits behind an answer that is being encoded,
/// nor an answer behind a read.
class Daemon {
 public:
  /// Opens the listeners and the control socket, or takes them from `inherited`. Throws where one
  /// cannot be had.
  explicit Daemon(const Config& config, ReadConfig read_config = default_config,
                  service::InheritedSockets inherited = {});

  /// Takes up the state of the last stop, and serves until SIGTERM, SIGINT or another signal that
  /// asks for an end; SIGHUP reads the configuration again. Then stops in order: accepts no more,
  /// lets sessions hand over what they have read, takes what is in the channel, saves what remains,
  /// and logs how much. So it does, and returns 1, where something is thrown that ends no session,
  /// which is a bug: a ledger that does not balance, or another invariant that is broken. Returns
  /// the exit status. Throws where it cannot start.
  [[nodiscard]] int run();

  /// Where it did not stop in order, what is left in one context refers to the others: all of it
  /// goes before any of them does.
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

 private:
  class Context : public asio::io_context {
   public:
    using asio::io_context::io_context;
    using asio::io_context::shutdown;  // destroys what waits in it
  };

  /// From start to end.
  [[nodiscard]] asio::awaitable<void> serve();
  [[nodiscard]] asio::awaitable<void> serve_until_told_to_stop();
  [[nodiscard]] asio::awaitable<void> save_what_is_left();
  /// Nothing is left to do: `run` returns.
  void let_go();

  /// Something was thrown that nobody expects: has the daemon stop in order. On any thread.
  void broken(const std::exception_ptr& error) noexcept;
  [[nodiscard]] asio::awaitable<void> restore_state();
  [[nodiscard]] asio::awaitable<void> wait_for_stop_signal();
  [[nodiscard]] asio::awaitable<void> stop_in_order();
  [[nodiscard]] Saved save_state(const SavedState& saved);
  void make_sinks();
  /// Besides what Housekeeping does by itself.
  void every_second();
  /// Logs where its file is gone, or there again.
  void look_for_control_socket();
  /// Makes its file again where that is gone, or logs why it cannot.
  void mend_control_socket();
  /// The control socket, the HTTP server where it is on, and the listeners, in that order.
  void open_sockets(const Config& config, std::vector<asio::any_io_executor> uplink_executors);
  [[nodiscard]] std::vector<asio::io_context*> all_contexts();
  /// Sessions, clients and sinks that hang at a stop.
  void give_up_peers();
  void stop_contexts();

  /// Does everything of a reload that may fail, or throws and has changed nothing.
  [[nodiscard]] control::ReloadReport take_up(NewConfig read);
  [[nodiscard]] asio::awaitable<void> settle_reload();

  // Where the aggregator's strand may run: the following two, its own first. Nobody encodes there.
  runtime::NearestExecutor::Contexts aggregator_contexts_;
  Context aggregator_context_{1};  // for whoever asks from elsewhere
  std::deque<Context> uplink_contexts_;
  Context control_context_{1};
  Context http_context_{1};  // where it is on: its clients hold nobody else up
  // One for each: it may wait for a server.
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
  bool control_socket_is_there_ = true;  // when it was last looked for
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
  std::shared_ptr<runtime::Part> http_;  // none: it is off
  std::vector<std::shared_ptr<runtime::Part>> sinks_;
};

}  // namespace meridian::daemon
