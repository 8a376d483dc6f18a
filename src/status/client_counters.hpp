/// What the control socket counts about its clients.
#pragma once

#include "status/json.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace meridian::status {

/// Thread-safe.
class ClientCounters {
 public:
  void opened() noexcept {
    accepted_.fetch_add(1, std::memory_order_relaxed);
    clients_.fetch_add(1, std::memory_order_relaxed);
  }
  void closed() noexcept { clients_.fetch_sub(1, std::memory_order_relaxed); }
  void cut_off(CutOff reason) noexcept {
    cut_off_.at(static_cast<std::size_t>(reason)).fetch_add(1, std::memory_order_relaxed);
  }

  [[nodiscard]] std::uint64_t clients() const noexcept {
    return clients_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] ControlCounts counts() const noexcept {
    ControlCounts counts;
    counts.clients = clients();
    counts.accepted = accepted_.load(std::memory_order_relaxed);
    for (const CutOff reason : all_cut_offs) {
      const auto i = static_cast<std::size_t>(reason);
      counts.cut_off.at(i) = cut_off_.at(i).load(std::memory_order_relaxed);
    }
    return counts;
  }

 private:
  std::atomic<std::uint64_t> clients_{0};
  std::atomic<std::uint64_t> accepted_{0};
  std::array<std::atomic<std::uint64_t>, all_cut_offs.size()> cut_off_{};
};

}  // namespace meridian::status
