#include "control/request_log.hpp"

#include "runtime/log.hpp"

namespace meridian::control {

namespace log = runtime::log;

namespace {

log::Fields fields_of(const Peer& peer, const std::string& request) {
  return {
      {"request", request}, {"uid", std::to_string(peer.uid)}, {"pid", std::to_string(peer.pid)}};
}

}  // namespace

RequestLog::~RequestLog() {
  if (drains_ > 0) {
    log_drains();
  }
}

void RequestLog::drained(std::uint64_t frames) {
  ++drains_;
  frames_ += frames;
  if (limit_.admit(runtime::LogLimit::Clock::now())) {
    log_drains();
  }
}

void RequestLog::log_drains() {
  log::info(fields_of(peer_, "drain"), "drain by uid {}, pid {}: {} frames in {} requests",
            peer_.uid, peer_.pid, frames_, drains_);
  drains_ = 0;
  frames_ = 0;
}

void RequestLog::did(const std::string& what) {
  log::info(fields_of(peer_, what.substr(0, what.find(':'))), "{} (by uid {}, pid {})", what,
            peer_.uid, peer_.pid);
}

}  // namespace meridian::control
