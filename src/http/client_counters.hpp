/// What the HTTP server counts about its clients.
#pragma once

#include "http/scrape.hpp"

#include <atomic>
#include <cstddef>
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
  /// Returns false if there are already `most` streams of events.
  [[nodiscard]] bool open_events(std::size_t most) noexcept {
    if (events_.fetch_add(1, relaxed) < most) {
      return true;
    }
    close_events();
    return false;
  }
  void close_events() noexcept { events_.fetch_sub(1, relaxed); }

  void timed_out() noexcept { timed_out_.fetch_add(1, relaxed); }

  [[nodiscard]] ClientCounts counts() const noexcept {
    return {.clients = clients_.load(relaxed),
            .accepted = accepted_.load(relaxed),
            .refused = refused_.load(relaxed),
            .event_streams = events_.load(relaxed),
            .timed_out = timed_out_.load(relaxed)};
  }

 private:
  static constexpr auto relaxed = std::memory_order_relaxed;

  std::atomic<std::uint64_t> clients_{0};
  std::atomic<std::uint64_t> accepted_{0};
  std::atomic<std::uint64_t> refused_{0};
  std::atomic<std::uint64_t> timed_out_{0};
  std::atomic<std::size_t> events_{0};  // open streams
};

}  // namespace meridian::http
