/// What the sinks are doing.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace meridian::status {

/// Why a sink makes no progress, or made none the last time: a reason that is counted, and a
/// message.
struct SinkProblem {
  std::string reason;
  std::string message;

  friend bool operator==(const SinkProblem&, const SinkProblem&) = default;
};

/// What does not change as long as a sink lives.
struct SinkInfo {
  std::string name;
  std::string type;
  std::string stream;
  std::string subject;
  std::string when_behind;
};

struct SinkFigures {
  std::optional<std::string> server;   ///< the one it is connected to
  std::optional<SinkProblem> problem;  ///< why nothing is published, or some messages are refused
  std::vector<std::string> unsafe;     ///< what is unsafe about the stream, in sentences
  std::uint64_t in_flight_messages = 0;
  std::uint64_t in_flight_bytes = 0;  ///< octets of their frames
  std::uint64_t acknowledged_messages = 0;
  std::uint64_t duplicates = 0;                  ///< of these, messages that the stream already had
  std::uint64_t retried = 0;                     ///< how often a message was tried again
  std::map<std::string, std::uint64_t> refused;  ///< refusals by reason, including reasons with 0
};

/// The record of one sink. Written by the sink, read from any thread.
class SinkRecord {
 public:
  explicit SinkRecord(SinkInfo info) : info_(std::move(info)) {}

  [[nodiscard]] const SinkInfo& info() const noexcept { return info_; }

  void set(SinkFigures figures) {
    const std::lock_guard lock(mutex_);
    figures_ = std::move(figures);
  }
  [[nodiscard]] SinkFigures figures() const {
    const std::lock_guard lock(mutex_);
    return figures_;
  }

 private:
  const SinkInfo info_;
  mutable std::mutex mutex_;
  SinkFigures figures_;  // protected by mutex_
};

/// All sinks, in the order of the configuration. No sink is added or removed once the
/// daemon answers requests; the records still change.
using SinkTable = std::deque<SinkRecord>;

}  // namespace meridian::status
