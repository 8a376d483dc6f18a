#include "state/state_directory.hpp"

#include "state/file.hpp"
#include "state/mark.hpp"
#include "state/saved_writer.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <random>
#include <stdexcept>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace meridian::state {

namespace fs = std::filesystem;

namespace {

constexpr const char* saved_name = "buffer.saved";
constexpr const char* saving_name = "buffer.saving";
constexpr const char* damaged_name = "buffer.damaged";

std::runtime_error failure(const fs::path& path, const std::string& what,
                           const std::error_code& error) {
  return std::runtime_error(
      fmt::format("state.directory: {} {}: {}", what, path.string(), error.message()));
}

std::uint32_t make_nonce() {
  std::random_device device;
  return std::max<std::uint32_t>(1, device());
}

std::error_code copy_regions(const File& from, const std::vector<Region>& regions, const File& to) {
  std::vector<std::byte> piece(1024 * 1024);
  for (Region rest : regions) {
    while (rest.bytes > 0) {
      const std::span<std::byte> out =
          std::span(piece).first(std::min<std::uint64_t>(piece.size(), rest.bytes));
      const std::size_t there = from.read(rest.offset, out).bytes;
      if (const std::error_code error = to.write(out.first(there))) {
        return error;
      }
      rest.offset += out.size();
      rest.bytes -= out.size();
    }
  }
  return to.sync();
}

/// Frees the space of what is not in `regions`. If the file system cannot punch holes, the file
/// stays whole.
void punch_all_but(const File& file, const std::vector<Region>& regions) {
  std::uint64_t at = 0;
  for (const Region& region : regions) {
    if (region.offset > at) {
      std::ignore = file.punch(at, region.offset - at);
    }
    at = region.offset + region.bytes;
  }
  if (file.size() > at) {
    std::ignore = file.punch(at, file.size() - at);
  }
}

std::string describe(const FormatVersion& newer) {
  return fmt::format(
      "it is of format {}, written by a newer meridiand{}, but this one only reads formats "
      "up to {}",
      newer.format, newer.program.empty() ? "" : " (" + newer.program + ")", format_version);
}

}  // namespace

StateDirectory::StateDirectory(fs::path directory, WhenUnreadable when_unreadable)
    : path_(std::move(directory)), when_unreadable_(when_unreadable) {
  if (!path_.has_filename()) {
    path_ = path_.parent_path();  // drops a slash at the end
  }
  std::error_code error;
  fs::create_directories(path_.parent_path(), error);
  if (::mkdir(path_.c_str(), 0700) != 0 && errno != EEXIST) {
    throw failure(path_, "cannot create", last_error());
  }
  directory_ = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory_ < 0) {
    throw failure(path_, "cannot open", last_error());
  }
  if (::flock(directory_, LOCK_EX | LOCK_NB) != 0) {
    const std::error_code why = last_error();
    ::close(directory_);
    if (why == std::errc::resource_unavailable_try_again) {
      throw std::runtime_error(
          fmt::format("state.directory: {} is held by a running daemon; stop that one, or set "
                      "another directory",
                      path_.string()));
    }
    throw failure(path_, "cannot lock", why);
  }
  if (::access(path_.c_str(), W_OK | X_OK) != 0) {
    const std::error_code why = last_error();
    ::close(directory_);
    throw failure(path_, "cannot write in", why);
  }
}

StateDirectory::~StateDirectory() {
  ::close(directory_);
}

std::optional<fs::path> StateDirectory::file_to_read() const {
  for (const char* const name : {saved_name, saving_name}) {
    fs::path path = path_ / name;
    struct stat status{};
    if (::lstat(path.c_str(), &status) == 0) {
      return path;
    }
    if (const std::error_code why = last_error(); why != std::errc::no_such_file_or_directory) {
      throw failure(path, "cannot look for", why);
    }
  }
  return std::nullopt;
}

void StateDirectory::check_set_aside(const fs::path& file, const std::string& why,
                                     const std::string& what_to_do) const {
  if (when_unreadable_ == WhenUnreadable::refuse) {
    throw std::runtime_error(
        fmt::format("state.directory: cannot read {}: {}; {}, or set state.when_unreadable to "
                    "\"set_aside\" to start without what cannot be read",
                    file.string(), why, what_to_do));
  }
}

std::optional<Restored> StateDirectory::read() const {
  const std::optional<fs::path> path = file_to_read();
  if (!path) {
    return std::nullopt;
  }
  const auto damaged_as_a_whole = [&path](std::string why = "") {
    struct stat status{};
    ::lstat(path->c_str(), &status);
    Restored nothing;
    nothing.damaged.push_back({0, static_cast<std::uint64_t>(status.st_size)});
    nothing.why_unreadable = std::move(why);
    return nothing;
  };
  std::error_code ignored;
  if (!fs::is_regular_file(fs::symlink_status(*path, ignored))) {
    return damaged_as_a_whole();
  }
  const File file(*path, O_RDONLY);
  if (!file.is_open()) {
    check_set_aside(*path, file.error().message(), "fix this");
    return damaged_as_a_whole(file.error().message());
  }
  Restored restored = read_saved(
      {.bytes = file.size(), .read = [&file](std::uint64_t offset, std::span<std::byte> out) {
         return file.read(offset, out);
       }});
  if (restored.unreadable) {
    restored.why_unreadable = restored.unreadable.message();
    check_set_aside(*path, restored.why_unreadable, "fix this");
  }
  if (restored.newer) {
    const std::string why = describe(*restored.newer);
    check_set_aside(*path, why, "start that version");
    return damaged_as_a_whole(why);
  }
  return restored;
}

std::optional<fs::path> StateDirectory::forget(const Restored& read) {
  std::optional<fs::path> aside;
  if (!read.damaged.empty()) {
    aside = set_aside(read);
  }
  // Removes both files, `buffer.saving` first. If only that one were left, the next start would
  // restore it.
  for (const char* name : {saving_name, saved_name}) {
    const fs::path path = path_ / name;
    if (::unlink(path.c_str()) == 0 || errno == ENOENT) {
      continue;
    }
    const std::error_code why = last_error();
    if (::rename(path.c_str(), free_name().c_str()) != 0) {  // unlink fails on a directory
      throw failure(path, "cannot remove", why);
    }
  }
  sync();
  return aside;
}

fs::path StateDirectory::free_name() const {
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  const std::string name = fmt::format("{}-{:%Y%m%dT%H%M%SZ}", damaged_name, fmt::gmtime(now));
  fs::path path = path_ / name;
  std::error_code ignored;
  for (int n = 2; fs::exists(path, ignored); ++n) {
    path = path_ / fmt::format("{}-{}", name, n);
  }
  return path;
}

fs::path StateDirectory::set_aside(const Restored& read) const {
  const fs::path source = file_to_read().value_or(path_ / saved_name);
  fs::path aside = free_name();
  const File from(source, O_RDWR);
  if (from.is_regular()) {
    const File to(aside, O_WRONLY | O_CREAT | O_EXCL);
    if (to.is_open() && !copy_regions(from, read.damaged, to)) {
      return aside;
    }
    // The copy failed, for lack of room for example. So the file itself gets the name, without what
    // was restored.
    punch_all_but(from, read.damaged);
  }
  if (::rename(source.c_str(), aside.c_str()) != 0) {
    throw failure(source, "cannot set aside the damaged parts of", last_error());
  }
  return aside;
}

void StateDirectory::save(const SavedState& saved) {
  const fs::path beside = path_ / saving_name;
  const fs::path place = path_ / saved_name;
  const File file(beside, O_WRONLY | O_CREAT | O_TRUNC);
  if (!file.is_open()) {
    throw failure(beside, "cannot create", last_error());
  }
  BufferedWriter writer(file);
  std::error_code error = write_saved(
      saved, make_nonce(), [&](std::span<const std::byte> octets) { return writer.write(octets); });
  for (const std::error_code later : {writer.flush(), file.sync()}) {
    error = error ? error : later;
  }
  // Renames even an incomplete file: everything up to its end can be restored.
  if (::rename(beside.c_str(), place.c_str()) != 0) {
    error = error ? error : last_error();
  }
  sync();
  if (error) {
    throw failure(place, "cannot write all of", error);
  }
}

void StateDirectory::sync() const {
  if (::fsync(directory_) != 0 && errno != EINVAL) {  // some file systems cannot sync, and need not
    throw failure(path_, "cannot sync", last_error());
  }
}

}  // namespace meridian::state
