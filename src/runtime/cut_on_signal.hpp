/// Leaves a file whole when the program is interrupted.
#pragma once

#include <array>
#include <csignal>
#include <cstdint>
#include <optional>

namespace meridian::runtime {

/// As long as this object lives, SIGINT, SIGTERM and SIGHUP first cut a file back, and then end the
/// process as usual. A signal that is ignored stays ignored. The handler itself cuts the file, so
/// it does not matter what the program is waiting for. There may be only one such object at a time.
class CutOnSignal {
 public:
  explicit CutOnSignal(int descriptor) noexcept;
  CutOnSignal(const CutOnSignal&) = delete;
  CutOnSignal& operator=(const CutOnSignal&) = delete;
  ~CutOnSignal();

  /// From now on a signal cuts the file back to this many octets, if it is longer. Without a value,
  /// and before the first call, a signal leaves the file as it is.
  static void keep(std::optional<std::uint64_t> octets) noexcept;

 private:
  static constexpr std::array signals{SIGINT, SIGTERM, SIGHUP};

  std::array<struct sigaction, signals.size()> before_{};
};

}  // namespace meridian::runtime
