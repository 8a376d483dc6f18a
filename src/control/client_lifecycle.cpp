#include "control/client_lifecycle.hpp"

namespace meridian::control {

void ClientLifecycle::enter(ClientState next) noexcept {
  if (!has_ended()) {
    state_ = next;
  }
}

ClientLifecycle::Wait ClientLifecycle::wait_for_request(Clock::time_point now) noexcept {
  enter(ClientState::waiting);
  waiting_since_ = now;
  wait_ = Wait{static_cast<std::uint64_t>(wait_) + 1};
  return wait_;
}

bool ClientLifecycle::can_be_told() const noexcept {
  return state_ == ClientState::waiting || state_ == ClientState::watching;
}

std::optional<std::chrono::seconds> ClientLifecycle::idle_time_to_give_way(
    Clock::time_point now) const {
  if (state_ != ClientState::waiting || leases_.holds_any(now)) {
    return std::nullopt;
  }
  const auto idle = std::chrono::floor<std::chrono::seconds>(now - waiting_since_);
  return idle >= thinking_time ? std::optional(idle) : std::nullopt;
}

ClientLifecycle::AtTimeout ClientLifecycle::at_timeout(Wait wait, Clock::time_point now) const {
  if (state_ != ClientState::waiting || wait != wait_) {
    return AtTimeout::nothing;
  }
  return leases_.holds_any(now) ? AtTimeout::wait_longer : AtTimeout::cut_off;
}

}  // namespace meridian::control
