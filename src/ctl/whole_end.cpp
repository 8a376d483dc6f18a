#include "ctl/whole_end.hpp"

#include "frame/wire.hpp"

#include <meridian/frame.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace meridian::ctl {

namespace {

constexpr std::size_t window_bytes = 64 * 1024;

/// A file that is read at any offset, mostly from its beginning to its end.
class Octets {
 public:
  explicit Octets(const std::string& path) {
    struct stat status{};
    descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor_ < 0 || ::fstat(descriptor_, &status) != 0) {
      fail();
    }
    size_ = static_cast<std::uint64_t>(status.st_size);
  }
  Octets(const Octets&) = delete;
  Octets& operator=(const Octets&) = delete;
  ~Octets() { close(); }

  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

  /// `count` octets from `begin` on, or fewer at the end of the file. `count` is at most
  /// `window_bytes`. Valid until the next call.
  [[nodiscard]] std::span<const std::byte> at(std::uint64_t begin, std::size_t count) {
    if (begin < begin_ || begin + count > begin_ + count_) {
      read_from(begin);
    }
    return std::span(window_).subspan(begin - begin_,
                                      std::min<std::uint64_t>(count, begin_ + count_ - begin));
  }

 private:
  void read_from(std::uint64_t begin) {
    begin_ = begin;
    count_ = 0;
    while (count_ < window_.size()) {
      const ssize_t got = ::pread(descriptor_, window_.data() + count_, window_.size() - count_,
                                  static_cast<off_t>(begin + count_));
      if (got < 0 && errno == EINTR) {
        continue;
      }
      if (got < 0) {
        fail();
      }
      if (got == 0) {
        break;
      }
      count_ += static_cast<std::size_t>(got);
    }
  }

  [[noreturn]] void fail() {
    const int error = errno;
    close();
    throw std::runtime_error(fmt::format("cannot read its end: {}", std::strerror(error)));
  }
  void close() noexcept {
    if (descriptor_ >= 0) {
      ::close(descriptor_);
      descriptor_ = -1;
    }
  }

  int descriptor_ = -1;
  std::uint64_t size_ = 0;
  std::vector<std::byte> window_ = std::vector<std::byte>(window_bytes);
  std::uint64_t begin_ = 0;  // offset in the file of window_
  std::size_t count_ = 0;    // octets in window_
};

/// The offset of the end of the last whole line. 0 if there is none.
std::uint64_t end_of_whole_lines(Octets& octets) {
  for (std::uint64_t end = octets.size(); end > 0;) {
    const std::uint64_t begin = end - std::min<std::uint64_t>(end, window_bytes);
    const std::span<const std::byte> part = octets.at(begin, end - begin);
    const auto last = std::find(part.rbegin(), part.rend(), std::byte{'\n'});
    if (last != part.rend()) {
      return begin + static_cast<std::uint64_t>(part.rend() - last);
    }
    end = begin;
  }
  return 0;
}

/// Whether a frame can begin with these octets, which may be fewer than a header has.
bool can_begin_a_frame(std::span<const std::byte> octets) {
  if (octets.size() >= frame::wire::length_field_bytes &&
      frame::wire::frame_length(octets.data()) < frame_length_overhead) {
    return false;
  }
  constexpr unsigned known_flags = frame_flag_stored;
  return octets.size() < frame::wire::flags_end ||
         (frame::wire::frame_flags(octets.data()) & ~known_flags) == 0;
}

/// The offset of the end of the last whole frame. 0 if there is none.
std::uint64_t end_of_whole_frames(Octets& octets) {
  std::uint64_t at = 0;
  while (at < octets.size()) {
    const std::span<const std::byte> header = octets.at(at, frame_header_bytes);
    if (!can_begin_a_frame(header)) {
      throw std::runtime_error(fmt::format(
          "it holds something other than a native frame at byte {}; name another file", at));
    }
    if (header.size() < frame_header_bytes ||
        frame::wire::frame_bytes(header.data()) > octets.size() - at) {
      return at;
    }
    at += frame::wire::frame_bytes(header.data());
  }
  return at;
}

void require_whole(const std::string& path, FrameFormat format) {
  Octets octets(path);
  const bool binary = format == FrameFormat::binary;
  const std::uint64_t whole = binary ? end_of_whole_frames(octets) : end_of_whole_lines(octets);
  if (whole == octets.size()) {
    return;
  }
  const std::string_view what = binary ? "frame" : "line";
  if (whole == 0) {
    throw std::runtime_error(
        fmt::format("it holds {} bytes and no whole {}; name another file, or replace what is in "
                    "it with --force",
                    octets.size(), what));
  }
  throw std::runtime_error(
      fmt::format("it ends in the middle of a {0}, as after a drain that was killed; cut off the "
                  "incomplete {0} with \"truncate -s {1} {2}\", or name another file",
                  what, whole, path));
}

}  // namespace

void require_whole_end(const std::string& path, runtime::WhenThere when_there, FrameFormat format) {
  std::error_code ignored;
  if (when_there != runtime::WhenThere::append || format == FrameFormat::table ||
      !std::filesystem::is_regular_file(path, ignored)) {
    return;
  }
  try {
    require_whole(path, format);
  } catch (const std::runtime_error& why) {
    throw std::runtime_error(fmt::format("cannot append to {}: {}", path, why.what()));
  }
}

}  // namespace meridian::ctl
