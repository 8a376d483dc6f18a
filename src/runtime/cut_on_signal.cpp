#include "runtime/cut_on_signal.hpp"

#include <atomic>
#include <cstddef>
#include <tuple>

#include <sys/stat.h>
#include <unistd.h>

namespace meridian::runtime {

namespace {

constexpr std::int64_t as_it_is = -1;

std::atomic<int> file_to_cut{-1};
std::atomic<std::int64_t> octets_to_keep{as_it_is};
static_assert(std::atomic<int>::is_always_lock_free &&
              std::atomic<std::int64_t>::is_always_lock_free);

/// A signal handler: calls only functions that are async-signal-safe.
extern "C" void cut_and_end(int signal) {
  const std::int64_t octets = octets_to_keep;
  struct stat status{};
  if (octets != as_it_is && ::fstat(file_to_cut, &status) == 0 && status.st_size > octets) {
    std::ignore = ::ftruncate(file_to_cut, octets);
  }
  // The signal is blocked while this handler runs, and ends the process as soon as it returns.
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

}  // namespace

CutOnSignal::CutOnSignal(int descriptor) noexcept {
  file_to_cut = descriptor;
  struct sigaction action{};
  action.sa_handler = cut_and_end;
  ::sigemptyset(&action.sa_mask);
  for (const int signal : signals) {
    ::sigaddset(&action.sa_mask, signal);
  }
  for (std::size_t i = 0; i < signals.size(); ++i) {
    ::sigaction(signals[i], nullptr, &before_[i]);
    if (before_[i].sa_handler != SIG_IGN) {
      ::sigaction(signals[i], &action, nullptr);
    }
  }
}

CutOnSignal::~CutOnSignal() {
  for (std::size_t i = 0; i < signals.size(); ++i) {
    ::sigaction(signals[i], &before_[i], nullptr);
  }
  octets_to_keep = as_it_is;
  file_to_cut = -1;
}

void CutOnSignal::keep(std::optional<std::uint64_t> octets) noexcept {
  octets_to_keep = octets ? static_cast<std::int64_t>(*octets) : as_it_is;
}

}  // namespace meridian::runtime
