/// Files for saved states.
#pragma once

#include "state/saved_reader.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <system_error>
#include <vector>

namespace meridian::state {

/// The error code in `errno`.
[[nodiscard]] std::error_code last_error() noexcept;

/// An open file, which the destructor closes. The constructor does not follow a symbolic link, and
/// does not wait for the other end of a pipe. All calls block.
class File {
 public:
  /// Opens a file with the flags of open(2). `is_open` tells whether that succeeded.
  File(const std::filesystem::path& path, int flags);
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File();

  [[nodiscard]] bool is_open() const noexcept { return descriptor_ >= 0; }
  [[nodiscard]] bool is_regular() const noexcept;
  [[nodiscard]] std::uint64_t size() const noexcept;

  /// Why the file could not be opened.
  [[nodiscard]] std::error_code error() const noexcept { return error_; }

  /// Reads from `offset` on, until `out` is full, the file ends, or the disk fails.
  [[nodiscard]] ReadResult read(std::uint64_t offset, std::span<std::byte> out) const noexcept;

  /// Writes all octets, after those that were written before.
  [[nodiscard]] std::error_code write(std::span<const std::byte> octets) const noexcept;

  /// Makes a hole in the file, whose octets read as 0 and take no space.
  [[nodiscard]] std::error_code punch(std::uint64_t offset, std::uint64_t bytes) const noexcept;

  /// Waits until the file is on the disk.
  [[nodiscard]] std::error_code sync() const noexcept;

 private:
  int descriptor_;
  std::error_code error_;
};

/// Collects what is written, until a piece is large enough for a system call.
class BufferedWriter {
 public:
  explicit BufferedWriter(const File& file) : file_(file) {}

  [[nodiscard]] std::error_code write(std::span<const std::byte> octets) {
    pending_.insert(pending_.end(), octets.begin(), octets.end());
    return pending_.size() < piece_bytes ? std::error_code{} : flush();
  }
  [[nodiscard]] std::error_code flush() {
    const std::error_code error = file_.write(pending_);
    pending_.clear();
    return error;
  }

 private:
  static constexpr std::size_t piece_bytes = 1024 * 1024;

  const File& file_;
  std::vector<std::byte> pending_;
};

}  // namespace meridian::state
