#include "runtime/output_file.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace meridian::runtime {

namespace {

/// Why the program must not write to an open file; "" if it may.
std::string reason_against(int descriptor, WhenThere when_there) {
  struct stat status{};
  if (::fstat(descriptor, &status) != 0) {
    return std::strerror(errno);
  }
  if (!S_ISREG(status.st_mode)) {
    return "";
  }
  // Not all file systems have locks.
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    return "another program is writing to it";
  }
  if (when_there == WhenThere::refuse && status.st_size > 0) {
    return fmt::format(
        "it holds {} bytes, which may be the only copy of frames that were drained; name another "
        "file, or give --append or --force",
        status.st_size);
  }
  return "";
}

}  // namespace

int open_output(const std::string& path, WhenThere when_there) {
  const int append = when_there == WhenThere::append ? O_APPEND : 0;
  const int descriptor =
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | append, 0666);
  const std::string why_not =
      descriptor < 0 ? std::strerror(errno) : reason_against(descriptor, when_there);
  if (!why_not.empty()) {
    if (descriptor >= 0) {
      ::close(descriptor);
    }
    throw std::runtime_error(fmt::format("cannot write to {}: {}", path, why_not));
  }
  return descriptor;
}

bool empty_output(int descriptor) noexcept {
  struct stat status{};
  return ::fstat(descriptor, &status) == 0 &&
         (!S_ISREG(status.st_mode) || ::ftruncate(descriptor, 0) == 0);
}

}  // namespace meridian::runtime
