/// Reloads the configuration on request.
#pragma once

#include "control/services.hpp"
#include "daemon/config.hpp"
#include "daemon/log_writer.hpp"
#include "runtime/aside.hpp"
#include "service/notifier.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace meridian::daemon {

/// Reads the configuration again, from the same place. Throws config::Error. It runs on a thread of
/// its own that may outlive the daemon, so it must own everything that it uses.
using ReadConfig = std::function<Config()>;

/// What a reload reads: everything that may take long.
struct NewConfig {
  Config config;
  std::shared_ptr<LogWriter> log;
  std::vector<std::string> open_secrets;  ///< a sentence about each
};

/// Runs reloads, one at a time. Neither a reload nor what it reads holds up the heartbeat or a
/// stop. Confined to the daemon's strand.
class Reloads {
 public:
  struct Steps {
    /// Repairs what does not depend on the new configuration.
    std::function<void()> mend;
    ReadConfig read;
    /// Applies the new configuration. If it throws, it has changed nothing.
    std::function<control::ReloadReport(NewConfig)> take_up;
    /// Waits until the new configuration has taken effect.
    std::function<asio::awaitable<void>()> settle;
  };

  Reloads(const asio::any_io_executor& strand, service::Notifier& notifier, Steps steps);

  /// Reloads, once earlier reloads have ended. Refuses once `stop` has been called.
  [[nodiscard]] asio::awaitable<control::ReloadOutcome> reload();

  /// Handles SIGHUP: starts a reload, unless one for an earlier signal is still waiting. Its
  /// outcome is logged.
  void on_signal();

  /// Refuses reloads that wait, and a reload that is still reading its configuration.
  void stop();

 private:
  [[nodiscard]] asio::awaitable<void> reload_on_signal();
  [[nodiscard]] asio::awaitable<control::ReloadOutcome> read_and_take_up();

  asio::any_io_executor strand_;
  service::Notifier& notifier_;
  Steps steps_;
  runtime::Aside<NewConfig> new_config_;
  asio::steady_timer ended_;  // never expires; cancelled when a reload has ended
  bool running_ = false;
  bool stopped_ = false;
  unsigned of_signals_ = 0;  // reloads for signals that run or wait
};

}  // namespace meridian::daemon
