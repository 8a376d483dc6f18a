/// Uplinks that outlive a daemon.
#pragma once

#include "integration/harness/clients.hpp"
#include "integration/harness/frames.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <map>
#include <thread>
#include <utility>
#include <vector>

namespace meridian::test {

/// Uplinks that send without end, and connect again whenever a connection breaks. Each connection
/// sends as a satellite of its own, whose sequence begins at 0.
class Senders {
 public:
  struct Connection {
    std::uint64_t sent = 0;       // frames; those that the daemon had not read are lost
    bool ended_in_order = false;  // if true, the daemon has all frames
  };
  using Connections = std::map<std::uint32_t, Connection>;

  Senders(std::uint16_t port, std::uint32_t count) : connections_(count), running_(count) {
    for (std::uint32_t i = 0; i < count; ++i) {
      threads_.emplace_back([this, port, i] { run(port, i); });
    }
  }
  Senders(const Senders&) = delete;
  Senders& operator=(const Senders&) = delete;
  ~Senders() { finish(); }

  /// Tells all uplinks to end. Each one half-closes, and ends once the daemon has taken everything.
  void finish() { stopping_ = true; }
  [[nodiscard]] bool finished() const { return running_ == 0; }

  /// Calls `finish`, and waits until all uplinks have ended.
  [[nodiscard]] Connections join() {
    finish();
    threads_.clear();
    Connections all;
    for (const Connections& connections : connections_) {
      all.insert(connections.begin(), connections.end());
    }
    return all;
  }

 private:
  void run(std::uint16_t port, std::uint32_t sender) {
    for (std::uint32_t n = 0; !stopping_; ++n) {
      const auto id = static_cast<std::uint32_t>(n * connections_.size() + sender);
      Connection& connection = connections_[sender][id];
      try {
        UplinkClient uplink(port);
        while (!stopping_) {
          constexpr std::size_t at_once = 50;
          const std::uint64_t first = std::exchange(connection.sent, connection.sent + at_once);
          uplink.send(frames_of(id, first, at_once, 16));
        }
        uplink.finish();
        connection.ended_in_order = true;
      } catch (const std::exception&) {
        // The daemon has stopped.
      }
    }
    --running_;
  }

  std::vector<Connections> connections_;  // each touched by its thread alone, until that ends
  std::atomic<bool> stopping_ = false;
  std::atomic<std::uint32_t> running_;
  std::vector<std::jthread> threads_;
};

}  // namespace meridian::test
