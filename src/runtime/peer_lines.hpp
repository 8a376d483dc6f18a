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

/// Lets `lines_a_second` lines of each kind through in a second, counts the others, and reports
/// their number once the second is over. A kind is a reason, with the listener, sink or user that
/// it is about, so there are few kinds. Thread-safe.
class PeerLines {
 public:
  using Clock = std::chrono::steady_clock;

  static constexpr std::uint64_t lines_a_second = 20;

  /// The instance for everything that this process logs.
  [[nodiscard]] static PeerLines& of_process();

  /// Whether to log a line of that kind. If not, counts it as left out.
  [[nodiscard]] bool admit(std::string_view kind, Clock::time_point now);

  struct LeftOut {
    std::string kind;
    std::uint64_t lines = 0;

    friend bool operator==(const LeftOut&, const LeftOut&) = default;
  };
  /// The kinds of which lines were left out, in a second that is over by `now`. Reports each line
  /// once.
  [[nodiscard]] std::vector<LeftOut> take_left_out(Clock::time_point now);

  /// How many lines were left out so far.
  [[nodiscard]] std::uint64_t left_out() const;

 private:
  struct Second {
    Clock::time_point begin;
    std::uint64_t lines = 0;
    std::uint64_t left_out = 0;  // not reported yet
  };

  mutable std::mutex mutex_;
  // Protected by mutex_.
  std::map<std::string, Second, std::less<>> kinds_;
  std::uint64_t left_out_ = 0;
};

}  // namespace meridian::runtime
