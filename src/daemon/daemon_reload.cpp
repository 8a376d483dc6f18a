// What a reload changes in a running daemon, and how it recreates the file of the control socket.
#include "aggregator/maintenance.hpp"
#include "daemon/config_changes.hpp"
#include "daemon/daemon.hpp"
#include "daemon/descriptors.hpp"
#include "daemon/logging.hpp"
#include "daemon/read_config.hpp"
#include "daemon/secrets.hpp"
#include "runtime/log.hpp"

#include <boost/asio/awaitable.hpp>
#include <spdlog/spdlog.h>

#include <exception>
#include <tuple>
#include <utility>

namespace meridian::daemon {

namespace log = runtime::log;

control::ReloadReport Daemon::take_up(NewConfig read) {
  control::Access& access = read.config.control.access;
  const control::Access& access_now = config_.control.access;
  if (control_->is_inherited() &&
      (access.mode != access_now.mode || access.group != access_now.group)) {
    spdlog::warn(
        "control.mode and control.group are not applied: the control socket is inherited, and "
        "its unit sets both (SocketMode=, SocketGroup=)");
    // control.read_only_group is applied: the daemon itself enforces it.
    access.mode = access_now.mode;
    access.group = access_now.group;
  }
  ConfigChanges changes = changes_between(config_, read.config);
  Config next = applicable(config_, std::move(read.config));
  check_sinks(next);
  Listeners::Change listeners = listeners_->prepare(next.uplinks, inherited_);
  control_->set_access(next.control.access);
  // Nothing fails from here on.
  set_log(std::move(read.log), next.log.level);
  listeners_->carry_out(std::move(listeners));
  control_->set_limits(next.control);
  silence_.set_limit(next.silent_after);
  housekeeping_.set_forget_after(next.forget_after);
  keep_descriptors_for_operators(next);
  config_ = std::move(next);
  look_for_control_socket();
  warn_of_open_secrets(read.open_secrets);
  return {.changed = std::move(changes.applied), .needs_restart = std::move(changes.needs_restart)};
}

asio::awaitable<void> Daemon::settle_reload() {
  std::ignore = co_await aggregator::Maintenance(*aggregator_)
                    .set_limits(config_.aggregator.buffer, config_.aggregator.max_tracked,
                                config_.aggregator.reset_after);
  co_await listeners_->wait_closed();
}

void Daemon::look_for_control_socket() {
  if (stopping_) {
    return;  // it disappears with the daemon
  }
  const bool is_there = control_->has_its_file();
  if (std::exchange(control_socket_is_there_, is_there) == is_there) {
    return;
  }
  if (is_there) {
    spdlog::info("the file of the control socket exists again");
  } else {
    log::error({{"reason", "control_socket_gone"}},
               "the file of the control socket, {}, is gone, so no client can connect: {}",
               config_.control.socket,
               control_->is_inherited() ? "restart the .socket unit that it comes from"
                                        : "send SIGHUP to the daemon to create it again");
  }
}

void Daemon::mend_control_socket() {
  if (control_->is_inherited() || control_->has_its_file()) {
    return;
  }
  look_for_control_socket();
  try {
    control_->set_access(config_.control.access);
  } catch (const std::exception& error) {
    log::error({{"reason", "control_socket_gone"}},
               "cannot create the file of the control socket again: {}", error.what());
  }
  look_for_control_socket();
}

}  // namespace meridian::daemon
