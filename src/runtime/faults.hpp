/// Exceptions that nobody expects: bugs, and the end of memory.
#pragma once

#include "runtime/log_limit.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <mutex>
#include <string>
#include <string_view>

namespace meridian::runtime {

/// What a fault ends: one session of such a kind, and nothing else.
enum class FaultOf : std::uint8_t { uplink, control, http, sink };
inline constexpr std::array all_fault_kinds{FaultOf::uplink, FaultOf::control, FaultOf::http,
                                            FaultOf::sink};

/// The name under which they are counted and logged, such as "uplink".
[[nodiscard]] std::string_view name_of(FaultOf kind) noexcept;

/// What an exception says of itself.
[[nodiscard]] std::string describe(const std::exception_ptr& error);

/// Counts faults and logs them, at most one line a second for each kind. Thread-safe.
class Faults {
 public:
  using Counts = std::array<std::uint64_t, all_fault_kinds.size()>;  ///< by kind

  [[nodiscard]] static Faults& of_process();

  /// `whose` names the session that ends, such as "uplink 5 from 127.0.0.1:4711". Never throws,
  /// whatever there is no memory for.
  void note(FaultOf kind, std::string_view whose, const std::exception_ptr& error) noexcept;

  [[nodiscard]] Counts counts() const noexcept;

 private:
  std::array<std::atomic<std::uint64_t>, all_fault_kinds.size()> counts_{};

  std::mutex mutex_;
  std::array<LogLimit, all_fault_kinds.size()> limits_;  // protected by mutex_
};

}  // namespace meridian::runtime
