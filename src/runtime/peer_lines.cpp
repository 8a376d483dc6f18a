#include "runtime/peer_lines.hpp"

#include <utility>

namespace meridian::runtime {

PeerLines& PeerLines::of_process() {
  static PeerLines lines;
  return lines;
}

bool PeerLines::admit(std::string_view kind, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  const auto found = kinds_.find(kind);
  Second& second = found != kinds_.end() ? found->second
                                         : kinds_.emplace(kind, Second{.begin = now}).first->second;
  if (now - second.begin >= std::chrono::seconds(1)) {
    second.begin = now;
    second.lines = 0;
  }
  if (second.lines < lines_a_second) {
    ++second.lines;
    return true;
  }
  ++second.left_out;
  ++left_out_;
  return false;
}

std::vector<PeerLines::LeftOut> PeerLines::take_left_out(Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  std::vector<LeftOut> told;
  for (auto& [kind, second] : kinds_) {
    if (second.left_out > 0 && now - second.begin >= std::chrono::seconds(1)) {
      told.push_back({.kind = kind, .lines = std::exchange(second.left_out, 0)});
    }
  }
  return told;
}

std::uint64_t PeerLines::left_out() const {
  const std::lock_guard lock(mutex_);
  return left_out_;
}

}  // namespace meridian::runtime
