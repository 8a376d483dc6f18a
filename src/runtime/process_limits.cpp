#include "runtime/process_limits.hpp"

#include <algorithm>
#include <atomic>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace meridian::runtime {

namespace {

std::atomic<std::size_t> kept{0};

}  // namespace

void raise_open_files_limit() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);  // if this fails, the old limit stays
  }
}

void keep_descriptors(std::size_t count) noexcept {
  kept.store(count, std::memory_order_relaxed);
}

bool has_descriptor_to_spare(int open) noexcept {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) {
    return true;
  }
  // The system hands out the lowest free descriptor, so all below it are in use.
  const int lowest_free = ::fcntl(open, F_DUPFD_CLOEXEC, 0);
  if (lowest_free < 0) {
    return false;
  }
  ::close(lowest_free);
  const rlim_t for_others =
      std::min<rlim_t>(kept.load(std::memory_order_relaxed), files.rlim_cur / 4);
  return static_cast<rlim_t>(lowest_free) + for_others < files.rlim_cur;
}

}  // namespace meridian::runtime
