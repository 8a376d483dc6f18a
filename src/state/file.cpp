#include "state/file.hpp"

#include <cerrno>

#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/stat.h>
#include <unistd.h>

namespace meridian::state {

std::error_code last_error() noexcept {
  return {errno, std::generic_category()};
}

File::File(const std::filesystem::path& path, int flags)
    : descriptor_(::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600)),
      error_(descriptor_ < 0 ? last_error() : std::error_code{}) {}

File::~File() {
  if (is_open()) {
    ::close(descriptor_);
  }
}

bool File::is_regular() const noexcept {
  struct stat status{};
  return is_open() && ::fstat(descriptor_, &status) == 0 && S_ISREG(status.st_mode);
}

std::uint64_t File::size() const noexcept {
  struct stat status{};
  return ::fstat(descriptor_, &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

ReadResult File::read(std::uint64_t offset, std::span<std::byte> out) const noexcept {
  std::size_t filled = 0;
  while (filled < out.size()) {
    const ssize_t bytes = ::pread(descriptor_, out.data() + filled, out.size() - filled,
                                  static_cast<off_t>(offset + filled));
    if (bytes < 0 && errno == EINTR) {
      continue;
    }
    if (bytes < 0) {
      return {.bytes = filled, .error = last_error()};
    }
    if (bytes == 0) {
      break;
    }
    filled += static_cast<std::size_t>(bytes);
  }
  return {.bytes = filled};
}

std::error_code File::write(std::span<const std::byte> octets) const noexcept {
  while (!octets.empty()) {
    const ssize_t bytes = ::write(descriptor_, octets.data(), octets.size());
    if (bytes < 0 && errno == EINTR) {
      continue;
    }
    if (bytes < 0) {
      return last_error();
    }
    octets = octets.subspan(static_cast<std::size_t>(bytes));
  }
  return {};
}

std::error_code File::punch(std::uint64_t offset, std::uint64_t bytes) const noexcept {
  const int result = ::fallocate(descriptor_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                 static_cast<off_t>(offset), static_cast<off_t>(bytes));
  return result == 0 ? std::error_code{} : last_error();
}

std::error_code File::sync() const noexcept {
  return ::fsync(descriptor_) == 0 ? std::error_code{} : last_error();
}

}  // namespace meridian::state
