/// Keeps peers from filling the log.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace meridian::runtime {

/// Lets so many lines of a kind through in a second, counts the others, and has their number told
/// once the second is over. Kinds are few: a reason, and the listener or sink that it is about.
/// Thread-safe.
class PeerLines {
 public:
  using Clock = std::chrono::steady_clock;

  static constexpr std::uint64_t lines_a_second = 20;

  /// Those of all that this process logs.
  [[nodiscard]] static PeerLines& of_process();

  /// Whether to log a line of that kind. Otherwise it is counted as left out.
  [[nodiscard]] bool admit(std::string_view kind, Clock::time_point now);

  struct LeftOut {
    std::string kind;
    std::uint64_t lines = 0;

    friend bool operator==(const LeftOut&, const LeftOut&) = default;
  };
  /// The kinds of which lines were left out in a second that is over by `now`; each line is told
  /// once.
  [[nodiscard]] std::vector<LeftOut> take_left_out(Clock::time_point now);

  /// Lines that were left out so far.
  [[nodiscard]] std::uint64_t left_out() const;

 private:
  struct Second {
    Clock::time_point begin;
    std::uint64_t lines = 0;
    std::uint64_t left_out = 0;  // not told yet
  };

  mutable std::mutex mutex_;
  // Protected by mutex_.
  std::map<std::string, Second, std::less<>> kinds_;
  std::uint64_t left_out_ = 0;
};

}  // namespace meridian::runtime
