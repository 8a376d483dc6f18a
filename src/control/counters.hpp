/// What the control socket counts about its clients.
#pragma once

#include "status/json.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace meridian::control {

/// Thread-safe.
class Counters {
 public:
  void opened() noexcept {
    accepted_.fetch_add(1, std::memory_order_relaxed);
    clients_.fetch_add(1, std::memory_order_relaxed);
  }
  void closed() noexcept { clients_.fetch_sub(1, std::memory_order_relaxed); }
  void cut_off(status::CutOff reason) noexcept {
    cut_off_.at(static_cast<std::size_t>(reason)).fetch_add(1, std::memory_order_relaxed);
  }

  [[nodiscard]] std::uint64_t clients() const noexcept {
    return clients_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] status::ControlCounts counts() const noexcept {
    status::ControlCounts counts;
    counts.clients = clients();
    counts.accepted = accepted_.load(std::memory_order_relaxed);
    for (const status::CutOff reason : status::all_cut_offs) {
      const auto i = static_cast<std::size_t>(reason);
      counts.cut_off.at(i) = cut_off_.at(i).load(std::memory_order_relaxed);
    }
    return counts;
  }

 private:
  std::atomic<std::uint64_t> clients_{0};
  std::atomic<std::uint64_t> accepted_{0};
  std::array<std::atomic<std::uint64_t>, status::all_cut_offs.size()> cut_off_{};
};

}  // namespace meridian::control
