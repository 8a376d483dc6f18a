/// Unexpected exceptions: bugs, and memory that has run out.
#pragma once

#include "runtime/log_limit.hpp"

#include <meridian/named.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <mutex>
#include <string>
#include <string_view>

namespace meridian::runtime {

/// Kinds of faults, named after where they occur. A session or a client ends with its fault, a sink
/// goes on, and nothing else is affected.
enum class FaultOf : std::uint8_t {
  uplink,
  control,
  http,
  sink,
};
inline constexpr std::array<Named<FaultOf>, 4> fault_kinds{{
    {FaultOf::uplink, "uplink", "A session of an uplink."},
    {FaultOf::control, "control", "A client of the control socket."},
    {FaultOf::http, "http", "A client of the HTTP server."},
    {FaultOf::sink, "sink", "A sink."},
}};
inline constexpr auto all_fault_kinds = values_of(fault_kinds);
[[nodiscard]] constexpr std::string_view name_of(FaultOf kind) noexcept {
  return name_in(fault_kinds, kind);
}

/// The message of an exception.
[[nodiscard]] std::string describe(const std::exception_ptr& error);

/// Counts faults and logs them, at most one line a second for each kind. Thread-safe.
class Faults {
 public:
  using Counts = std::array<std::uint64_t, all_fault_kinds.size()>;  ///< by kind

  [[nodiscard]] static Faults& of_process();

  /// `whose` names where it occurred, such as "uplink 5 from 127.0.0.1:4711". Never throws. If
  /// memory has run out, counts the fault without logging it.
  void note(FaultOf kind, std::string_view whose, const std::exception_ptr& error) noexcept;

  [[nodiscard]] Counts counts() const noexcept;

 private:
  std::array<std::atomic<std::uint64_t>, all_fault_kinds.size()> counts_{};

  std::mutex mutex_;
  std::array<LogLimit, all_fault_kinds.size()> limits_;  // protected by mutex_
};

}  // namespace meridian::runtime
