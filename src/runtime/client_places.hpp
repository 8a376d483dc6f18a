/// Which clients of a server give up their places to a new one.
#pragma once

#include "runtime/stop_group.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace meridian::runtime {

/// Since when a client has had its place, and whether it still has it: the place can go to
/// another client while the session is still ending. Each session has one.
///
/// Thread-safe.
class Tenure {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Tenure(Clock::time_point since) noexcept : since_(since) {}

  [[nodiscard]] Clock::time_point since() const noexcept { return since_; }

  /// From now on the place belongs to another client.
  void end() noexcept { ended_ = true; }
  [[nodiscard]] bool has_ended() const noexcept { return ended_; }

 private:
  const Clock::time_point since_;
  std::atomic<bool> ended_{false};
};

/// A session whose place can go to another client. `tenure` must be callable from any thread.
template <typename Client>
concept HasTenure = requires(const Client& client) {
  { client.tenure() } -> std::same_as<const Tenure&>;
};

/// The clients that must give up their places so that one more can have a place: those that have
/// been connected the longest among those that `may_displace` says yes to. An empty list if a
/// place is free; no value if no place can be made.
///
/// Clients whose tenure has ended do not count. There may be more clients than `most`, once that
/// has become less; then one more needs the places of several. Whoever asks must end the tenure of
/// each, and must be the only one to add clients. `Client` must be held by shared_ptrs.
template <HasTenure Client, std::predicate<const Client&> MayDisplace>
[[nodiscard]] std::optional<std::vector<std::shared_ptr<Client>>> clients_to_displace(
    const StopGroup<Client>& clients, std::size_t most, MayDisplace may_displace) {
  std::vector<std::shared_ptr<Client>> leaving;
  if (clients.size() < most) {
    return leaving;
  }
  std::size_t taken = 0;
  clients.for_each([&](Client& client) {
    if (client.tenure().has_ended()) {
      return;  // on its way out
    }
    ++taken;
    if (may_displace(std::as_const(client))) {
      leaving.push_back(client.shared_from_this());
    }
  });
  if (taken < most) {
    leaving.clear();
    return leaving;
  }
  const std::size_t needed = taken - most + 1;
  if (leaving.size() < needed) {
    return std::nullopt;
  }
  std::ranges::sort(leaving, {}, [](const auto& client) { return client->tenure().since(); });
  leaving.resize(needed);
  return leaving;
}

}  // namespace meridian::runtime
