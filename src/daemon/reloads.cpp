#include "daemon/reloads.hpp"

#include "daemon/logging.hpp"
#include "daemon/reports.hpp"
#include "daemon/secrets.hpp"
#include "runtime/rethrow.hpp"
#include "runtime/use_tuple.hpp"

#include <boost/asio/co_spawn.hpp>
#include <fmt/format.h>

#include <chrono>
#include <exception>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

namespace meridian::daemon {

namespace {

/// How long reading may take before a reload is refused. Reading a file and looking up a group take
/// milliseconds.
constexpr std::chrono::seconds config_patience{10};

control::ReloadRefused refused_by_stop() {
  return {"the daemon is stopping; its next start reads the configuration"};
}

}  // namespace

Reloads::Reloads(const asio::any_io_executor& strand, service::Notifier& notifier, Steps steps)
    : strand_(strand),
      notifier_(notifier),
      steps_(std::move(steps)),
      new_config_(strand),
      ended_(strand, asio::steady_timer::time_point::max()) {}

asio::awaitable<control::ReloadOutcome> Reloads::reload() {
  while (running_ && !stopped_) {
    // Does not set the expiry, since that would wake the other waiters.
    std::ignore = co_await ended_.async_wait(runtime::use_tuple);
  }
  if (stopped_) {
    co_return refused_by_stop();
  }
  running_ = true;
  notifier_.reloading();
  control::ReloadOutcome outcome = co_await read_and_take_up();
  log_reload(outcome);
  if (std::holds_alternative<control::ReloadReport>(outcome)) {
    co_await steps_.settle();
  }
  if (!stopped_) {
    notifier_.ready();
  }
  running_ = false;
  ended_.cancel();
  co_return outcome;
}

void Reloads::on_signal() {
  // One reload may run, and one may wait: the second sees every change that is made before it
  // begins.
  if (of_signals_ < 2) {
    ++of_signals_;
    asio::co_spawn(strand_, reload_on_signal(), runtime::rethrow);
  }
}

void Reloads::stop() {
  stopped_ = true;
  new_config_.give_up();
  ended_.cancel();
}

asio::awaitable<void> Reloads::reload_on_signal() {
  std::ignore = co_await reload();
  --of_signals_;
}

asio::awaitable<control::ReloadOutcome> Reloads::read_and_take_up() {
  try {
    steps_.mend();
    if (new_config_.is_full()) {
      co_return control::ReloadRefused{fmt::format(
          "{} earlier reads of the configuration still wait for its file or for a group look-up: "
          "find out what blocks them, and restart the daemon if they do not end",
          runtime::Aside<NewConfig>::most_running)};
    }
    std::function<NewConfig()> read = [read_config = steps_.read] {
      Config config = read_config();
      std::shared_ptr<LogWriter> log = open_log(config.log);
      std::vector<std::string> secrets = open_secrets(config);
      return NewConfig{
          .config = std::move(config), .log = std::move(log), .open_secrets = std::move(secrets)};
    };
    std::optional<NewConfig> next = co_await new_config_.call(std::move(read), config_patience);
    if (stopped_) {
      co_return refused_by_stop();
    }
    if (!next) {
      co_return control::ReloadRefused{fmt::format(
          "the configuration has not been read within {} s: check whether its file is a pipe or on "
          "a file system that does not respond, and whether its groups can be looked up",
          config_patience.count())};
    }
    co_return steps_.take_up(*std::move(next));
  } catch (const std::exception& error) {
    co_return control::ReloadRefused{error.what()};
  }
}

}  // namespace meridian::daemon
