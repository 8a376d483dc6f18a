#include "control/request_log.hpp"

#include "runtime/log.hpp"

#include <boost/system/error_code.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <chrono>

namespace meridian::control {

namespace log = runtime::log;

namespace {

log::Fields fields_of(const Peer& peer, const std::string& request) {
  return {
      {"request", request}, {"uid", std::to_string(peer.uid)}, {"pid", std::to_string(peer.pid)}};
}

std::string kind_of(const Peer& peer, std::string_view request) {
  return fmt::format("control clients of uid {}: {}", peer.uid, request);
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
  log::limited(spdlog::level::warn, "control clients: notifications that are not carried out",
               fields_of(peer_, "notification"),
               "control client sent a notification that is not carried out: {} (by uid {}, pid {})",
               why, peer_.uid, peer_.pid);
}

void RequestLog::cut_off(status::CutOff reason, std::string_view why) {
  log::limited(spdlog::level::warn,
               fmt::format("control clients cut off: {}", status::name_of(reason)),
               {{"reason", std::string(status::name_of(reason))},
                {"uid", std::to_string(peer_.uid)},
                {"pid", std::to_string(peer_.pid)}},
               "control client cut off: {} (uid {}, pid {})", why, peer_.uid, peer_.pid);
}

void RequestLog::log_drains() {
  log::limited(spdlog::level::info, kind_of(peer_, "drain"), fields_of(peer_, "drain"),
               "drain by uid {}, pid {}: {} frames in {} requests", peer_.uid, peer_.pid, frames_,
               drains_);
  drains_ = 0;
  frames_ = 0;
  hold_back();
}

void RequestLog::did(const std::string& what) {
  const std::string request = what.substr(0, what.find(':'));
  log::limited(spdlog::level::info, kind_of(peer_, request), fields_of(peer_, request),
               "{} (by uid {}, pid {})", what, peer_.uid, peer_.pid);
}

}  // namespace meridian::control
