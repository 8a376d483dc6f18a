#include "runtime/output.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace meridian::runtime {

namespace {

constexpr std::size_t pending_bytes = 256 * 1024;

/// The size of a file in octets, or nothing if it is not a regular file.
std::optional<std::uint64_t> size_of_file(int descriptor) {
  struct stat status{};
  if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    return std::nullopt;
  }
  return static_cast<std::uint64_t>(status.st_size);
}

/// Whether a sync failed, according to errno, only because its target cannot be synced, and need
/// not be: a pipe, a terminal, some file systems.
bool needs_no_sync() {
  return errno == EINVAL || errno == EROFS || errno == ENOTSUP;
}

/// Syncs the directory entry of a file. False with the reason in errno.
bool sync_name(const std::string& path) {
  std::error_code failed;
  const std::filesystem::path file = std::filesystem::canonical(path, failed);
  if (failed) {
    errno = failed.value();
    return false;
  }
  const int directory = ::open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) {
    return errno == EACCES;  // the process may write in this directory, but not read it
  }
  const bool done = ::fsync(directory) == 0 || needs_no_sync();
  const int error = errno;
  ::close(directory);
  errno = error;
  return done;
}

}  // namespace

Output::Output(const std::string& path, WhenThere when_there)
    : path_(path),
      descriptor_(path.empty() ? STDOUT_FILENO : open_output(path, when_there)),
      replaces_(!path.empty() && when_there == WhenThere::replace) {
  if (!path_.empty()) {
    kept_ = size_of_file(descriptor_);
  }
}

Output::~Output() {
  cut_on_signal_.reset();  // before the descriptor can belong to another file
  if (!path_.empty()) {
    ::close(descriptor_);
  }
}

void Output::write(std::span<const std::byte> octets) {
  pending_.append(reinterpret_cast<const char*>(octets.data()), octets.size());
  if (pending_.size() >= pending_bytes) {
    flush();
  }
}

void Output::empty() {
  if (!empty_output(descriptor_)) {
    throw failure();
  }
  ::lseek(descriptor_, 0, SEEK_SET);
  replaces_ = false;
  keep();
}

void Output::flush() {
  if (replaces_ && !pending_.empty()) {
    empty();
  }
  for (std::string_view rest = pending_; !rest.empty();) {
    const ssize_t written = ::write(descriptor_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written < 0) {
      throw failure();
    }
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  pending_.clear();
}

void Output::sync() {
  if (::fdatasync(descriptor_) != 0 && !needs_no_sync()) {
    throw failure();
  }
  if (kept_ && !name_is_synced_) {
    if (!sync_name(path_)) {
      throw failure();
    }
    name_is_synced_ = true;
  }
}

void Output::keep() {
  if (kept_) {
    kept_ = size_of_file(descriptor_);
    CutOnSignal::keep(cut_on_signal_ ? kept_ : std::nullopt);
  }
}

void Output::take_back_on_signals() {
  if (kept_) {
    cut_on_signal_.emplace(descriptor_);
    CutOnSignal::keep(kept_);
  }
}

void Output::take_back() noexcept {
  pending_.clear();
  if (kept_ && ::ftruncate(descriptor_, static_cast<off_t>(*kept_)) == 0) {
    ::lseek(descriptor_, static_cast<off_t>(*kept_), SEEK_SET);
  }
}

std::runtime_error Output::failure() const {
  return std::runtime_error(fmt::format(
      "cannot write to {}: {}", path_.empty() ? "standard output" : path_, std::strerror(errno)));
}

}  // namespace meridian::runtime
