/// Which uplinks are connected, which were, and how sessions ended.
#pragma once

#include <meridian/frame.hpp>
#include <meridian/malformed.hpp>
#include <meridian/named.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace meridian::status {

/// Why an uplink session ended. Counted per reason.
enum class CloseReason : std::uint8_t {
  end_of_stream,
  truncated,
  malformed,
  idle_timeout,
  connection_lost,
  session_limit,
  stopped,
  listener_removed,
  fault,
};
inline constexpr std::array<Named<CloseReason>, 9> close_reasons{{
    {CloseReason::end_of_stream, "end_of_stream", "The peer sent everything and ended its stream."},
    {CloseReason::truncated, "truncated", "The connection ended in the middle of a frame."},
    {CloseReason::malformed, "malformed", "The stream is not in the framing of its listener."},
    {CloseReason::idle_timeout, "idle_timeout",
     "The peer sent nothing for the listener's `idle_timeout_s`."},
    {CloseReason::connection_lost, "connection_lost",
     "The connection broke, or the peer's machine did not answer for `peer_timeout_s`."},
    {CloseReason::session_limit, "session_limit",
     "The connection was turned away, because the listener had `max_sessions` sessions already."},
    {CloseReason::stopped, "stopped", "The daemon stopped."},
    {CloseReason::listener_removed, "listener_removed", "A reload removed the listener."},
    {CloseReason::fault, "fault",
     "An exception in the daemon, from a bug or because memory ran out. The log has the reason."},
}};
inline constexpr auto all_close_reasons = values_of(close_reasons);
[[nodiscard]] constexpr std::string_view name_of(CloseReason reason) noexcept {
  return name_in(close_reasons, reason);
}

/// The record of one session. Written by the session, read from any thread.
class UplinkRecord {
 public:
  UplinkRecord(SessionId id, std::string listener, std::string peer, ReceiveTime connected_at)
      : id_(id),
        listener_(std::move(listener)),
        peer_(std::move(peer)),
        connected_at_(connected_at) {}

  [[nodiscard]] SessionId id() const noexcept { return id_; }
  [[nodiscard]] const std::string& listener() const noexcept { return listener_; }
  [[nodiscard]] const std::string& peer() const noexcept { return peer_; }
  [[nodiscard]] ReceiveTime connected_at() const noexcept { return connected_at_; }

  void add_bytes(std::uint64_t bytes) noexcept { bytes_.fetch_add(bytes, relaxed); }
  /// A reader must call `frames` before `last_frame_at`: then the time is not older than the frames
  /// that were counted.
  void add_frames(std::uint64_t frames, ReceiveTime at) noexcept {
    last_frame_at_.store(at.time_since_epoch().count(), relaxed);
    frames_.fetch_add(frames, std::memory_order_release);
  }
  void set_held(bool held) noexcept { held_.store(held, relaxed); }

  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_.load(relaxed); }
  [[nodiscard]] std::uint64_t frames() const noexcept {
    return frames_.load(std::memory_order_acquire);
  }
  [[nodiscard]] bool held() const noexcept { return held_.load(relaxed); }
  [[nodiscard]] std::optional<ReceiveTime> last_frame_at() const noexcept {
    const std::int64_t at = last_frame_at_.load(relaxed);
    return at == 0 ? std::nullopt : std::optional(ReceiveTime(ReceiveTime::duration(at)));
  }

 private:
  static constexpr auto relaxed = std::memory_order_relaxed;

  // Constant after construction.
  SessionId id_;
  std::string listener_;
  std::string peer_;
  ReceiveTime connected_at_;

  std::atomic<std::uint64_t> bytes_{0};
  std::atomic<std::uint64_t> frames_{0};
  std::atomic<std::int64_t> last_frame_at_{0};  // microseconds since 1970; 0: none yet
  std::atomic<bool> held_{false};
};

struct ClosedUplink {
  std::shared_ptr<const UplinkRecord> record;
  ReceiveTime closed_at;
  CloseReason reason;
};

struct SessionCounts {
  std::uint64_t open = 0;
  std::uint64_t accepted = 0;
  std::array<std::uint64_t, all_close_reasons.size()> closed{};
  std::array<std::uint64_t, std::size(all_malformed)> malformed{};
  std::uint64_t truncated = 0;
  std::uint64_t implausible = 0;  ///< sessions whose octets are probably not packets
  std::uint64_t idle_packets = 0;
};

/// A listener with its actual address and port.
struct ListenerInfo {
  std::string name;
  std::string framing;
  std::string address;
};

/// All sessions of the daemon. Thread-safe. Its lock is taken when a session begins or ends, and
/// for a snapshot, but never while a frame passes.
class UplinkTable {
 public:
  /// How many closed sessions are remembered.
  static constexpr std::size_t max_closed = 64;

  /// Adds a listener, or replaces the one of that name.
  void set_listener(ListenerInfo listener);
  void remove_listener(std::string_view name);

  [[nodiscard]] std::shared_ptr<UplinkRecord> open(std::string listener, std::string peer,
                                                   ReceiveTime now);
  void close(const std::shared_ptr<UplinkRecord>& record, CloseReason reason, ReceiveTime now);

  void count_malformed(Malformed reason);
  void count_truncated();
  /// Counts a session whose packets are implausible. Returns whether to log it, which is so only
  /// for the first one of a listener.
  [[nodiscard]] bool count_implausible(const std::string& listener);
  void count_idle_packets(std::uint64_t packets) noexcept {
    idle_packets_.fetch_add(packets, std::memory_order_relaxed);
  }

  struct Snapshot {
    std::vector<ListenerInfo> listeners;
    std::vector<std::shared_ptr<const UplinkRecord>> open;  ///< by id
    std::vector<ClosedUplink> closed;                       ///< the latest first
  };
  [[nodiscard]] Snapshot snapshot() const;
  [[nodiscard]] SessionCounts counts() const;

 private:
  std::atomic<std::uint64_t> idle_packets_{0};

  mutable std::mutex mutex_;
  // Protected by mutex_.
  std::vector<ListenerInfo> listeners_;
  std::set<std::string> implausible_;  // names of listeners
  std::unordered_map<SessionId, std::shared_ptr<const UplinkRecord>> open_;
  std::deque<ClosedUplink> closed_;
  SessionCounts counts_;
};

}  // namespace meridian::status
