#include "control/request_log.hpp"

#include "runtime/log.hpp"

#include <boost/system/error_code.hpp>
#include <spdlog/spdlog.h>

#include <chrono>

namespace meridian::control {

namespace log = runtime::log;

namespace {

log::Fields fields_of(const Peer& peer, const std::string& request) {
  return {
      {"request", request}, {"uid", std::to_string(peer.uid)}, {"pid", std::to_string(peer.pid)}};
}

}  // namespace

void RequestLog::drained(std::uint64_t frames) {
  ++drains_;
  frames_ += frames;
  if (!holds_back_) {
    log_drains();
  }
}

void RequestLog::hold_back() {
  holds_back_ = true;
  timer_.expires_after(std::chrono::seconds(1));
  timer_.async_wait([self = shared_from_this()](const boost::system::error_code& closed) {
    self->holds_back_ = false;
    if (self->drains_ > 0) {
      self->log_drains();
    }
    if (closed) {
      self->timer_.cancel();
    }
  });
}

void RequestLog::close() {
  timer_.cancel();
}

void RequestLog::refused_notification(std::string_view why) {
  if (const auto held_back = notification_limit_.admit(runtime::LogLimit::Clock::now())) {
    spdlog::warn(
        "control client sent a notification that is not carried out: {} ({} more since the last "
        "message)",
        why, *held_back);
  }
}

void RequestLog::log_drains() {
  log::info(fields_of(peer_, "drain"), "drain by uid {}, pid {}: {} frames in {} requests",
            peer_.uid, peer_.pid, frames_, drains_);
  drains_ = 0;
  frames_ = 0;
  hold_back();
}

void RequestLog::did(const std::string& what) {
  log::info(fields_of(peer_, what.substr(0, what.find(':'))), "{} (by uid {}, pid {})", what,
            peer_.uid, peer_.pid);
}

}  // namespace meridian::control
