/// A file that is left whole by a program that is interrupted.
#pragma once

#include <array>
#include <csignal>
#include <cstdint>
#include <optional>

namespace meridian::ctl {

/// As long as it lives, SIGINT, SIGTERM and SIGHUP cut a file back before they end the process, as
/// they do by default; one that is ignored stays so. The handler itself does it, so that it does
/// not matter what the program waits for. One at a time.
class CutOnSignal {
 public:
  explicit CutOnSignal(int descriptor) noexcept;
  CutOnSignal(const CutOnSignal&) = delete;
  CutOnSignal& operator=(const CutOnSignal&) = delete;
  ~CutOnSignal();

  /// The file is cut back to so many octets from now on, if it is longer. Nothing: not at all, as
  /// at first.
  static void keep(std::optional<std::uint64_t> octets) noexcept;

 private:
  static constexpr std::array signals{SIGINT, SIGTERM, SIGHUP};

  std::array<struct sigaction, signals.size()> before_{};
};

}  // namespace meridian::ctl
