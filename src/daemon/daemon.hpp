/// The one place where everything is put together.
#pragma once

#include "control/server.hpp"
#include "daemon/config.hpp"
#include "daemon/heartbeat.hpp"
#include "daemon/housekeeping.hpp"
#include "daemon/listeners.hpp"
#include "daemon/log_writer.hpp"
#include "runtime/aside.hpp"
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

#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <spdlog/common.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace meridian::daemon {

/// Reads the configuration again, from where it came. Throws ConfigError. Called on a thread of its
/// own, which may outlive the daemon: it owns whatever it uses.
using ReadConfig = std::function<Config()>;

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

  /// What could be saved of what remained.
  enum class Saved : std::uint8_t { all, not_all, nowhere };

 private:
  /// What a reload gets from outside.
  struct NewConfig {
    Config config;
    std::shared_ptr<LogWriter> log;
  };

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
  /// Logs where its file is gone, or there again.
  void look_for_control_socket();
  [[nodiscard]] std::vector<asio::io_context*> all_contexts();
  /// Gives up what hangs: sessions and clients first, all of it in the end.
  void watch_stop();

  /// One at a time. Neither this nor what it reads holds up the heartbeat.
  [[nodiscard]] asio::awaitable<control::ReloadOutcome> reload();
  [[nodiscard]] asio::awaitable<void> reload_on_signal();
  [[nodiscard]] asio::awaitable<control::ReloadOutcome> read_and_take_up();
  /// Does everything of a reload that may fail, or throws and has changed nothing.
  [[nodiscard]] control::ReloadReport take_up(NewConfig read);

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
  asio::steady_timer deadline_;
  status::Pulse pulse_;
  status::Silence silence_;
  Housekeeping housekeeping_;
  service::Notifier notifier_;
  Heartbeat heartbeat_;

  // On the daemon's strand.
  Config config_;
  ReadConfig read_config_;
  service::InheritedSockets inherited_;
  runtime::Aside<NewConfig> new_config_;
  asio::steady_timer reload_ended_;  // cancelled where one has
  bool reloading_ = false;
  bool control_socket_is_there_ = true;  // when it was last looked for
  unsigned signal_reloads_ = 0;          // that run, or wait until they may
  bool stopping_ = false;
  bool stopped_ = false;  // but for what is to be saved
  unsigned stop_ticks_ = 0;
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
