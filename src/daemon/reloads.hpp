/// Reads the configuration again when asked, and has it taken up.
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

/// Reads the configuration again, from where it came. Throws ConfigError. Called on a thread of its
/// own, which may outlive the daemon: it owns whatever it uses.
using ReadConfig = std::function<Config()>;

/// What a reload reads: all that may take long.
struct NewConfig {
  Config config;
  std::shared_ptr<LogWriter> log;
  std::vector<std::string> open_secrets;  ///< a sentence on each
};

/// Reloads, one at a time. Neither a reload nor what it reads holds up the heartbeat or a stop.
/// Confined to the daemon's strand.
class Reloads {
 public:
  struct Steps {
    /// Mends what can be mended whatever the new configuration is.
    std::function<void()> mend;
    ReadConfig read;
    /// Does everything that may fail, or throws and has changed nothing.
    std::function<control::ReloadReport(NewConfig)> take_up;
    /// Waits until what was taken up has had its effect.
    std::function<asio::awaitable<void>()> settle;
  };

  Reloads(const asio::any_io_executor& strand, service::Notifier& notifier, Steps steps);

  /// Waits for those before it. Refused once `stop` is called.
  [[nodiscard]] asio::awaitable<control::ReloadOutcome> reload();

  /// SIGHUP: starts a reload of which the log tells.
  void on_signal();

  /// Refuses those that wait, and the one whose configuration has not been read.
  void stop();

 private:
  [[nodiscard]] asio::awaitable<void> reload_on_signal();
  [[nodiscard]] asio::awaitable<control::ReloadOutcome> read_and_take_up();

  asio::any_io_executor strand_;
  service::Notifier& notifier_;
  Steps steps_;
  runtime::Aside<NewConfig> new_config_;
  asio::steady_timer ended_;  // never expires; cancelled where a reload has ended
  bool running_ = false;
  bool stopped_ = false;
  unsigned of_signals_ = 0;  // that run, or wait until they may
};

}  // namespace meridian::daemon
