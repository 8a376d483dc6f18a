/// What the HTTP server counts about its clients.
#pragma once

#include "http/metrics.hpp"

#include <atomic>
#include <cstdint>

namespace meridian::http {

/// Thread-safe.
class ClientCounters {
 public:
  void opened() noexcept {
    accepted_.fetch_add(1, relaxed);
    clients_.fetch_add(1, relaxed);
  }
  void closed() noexcept { clients_.fetch_sub(1, relaxed); }
  void refused() noexcept { refused_.fetch_add(1, relaxed); }
  void timed_out() noexcept { timed_out_.fetch_add(1, relaxed); }

  [[nodiscard]] ClientCounts counts() const noexcept {
    return {.clients = clients_.load(relaxed),
            .accepted = accepted_.load(relaxed),
            .refused = refused_.load(relaxed),
            .timed_out = timed_out_.load(relaxed)};
  }

 private:
  static constexpr auto relaxed = std::memory_order_relaxed;

  std::atomic<std::uint64_t> clients_{0};
  std::atomic<std::uint64_t> accepted_{0};
  std::atomic<std::uint64_t> refused_{0};
  std::atomic<std::uint64_t> timed_out_{0};
};

}  // namespace meridian::http
