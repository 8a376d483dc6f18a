/// The directory that keeps a state for the next start.
#pragma once

#include "state/saved_reader.hpp"

#include <meridian/aggregator.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace meridian::state {

/// What to do with a state that exists but cannot be read: it cannot be opened, the disk fails, or
/// a newer program wrote it.
enum class WhenUnreadable : std::uint8_t {
  refuse,     ///< the start fails, and nothing is touched
  set_aside,  ///< it counts as damaged: what can be read is restored, the rest kept under another
              ///< name
};

/// Owns a directory: one daemon at a time.
///
///     buffer.saved      the state of the last stop, until it is restored
///     buffer.saving     a state that is being written, or that an interrupted stop has left
///     buffer.damaged-*  what could not be read of a state; named after the start's time (UTC)
///
/// Not thread-safe. All calls block for as long as the disk takes.
class StateDirectory {
 public:
  /// Locks the directory, and creates it (0700) if necessary. Throws std::runtime_error if it
  /// cannot be written, or, with what to do, if another daemon has it.
  explicit StateDirectory(std::filesystem::path directory,
                          WhenUnreadable when_unreadable = WhenUnreadable::refuse);
  StateDirectory(const StateDirectory&) = delete;
  StateDirectory& operator=(const StateDirectory&) = delete;
  ~StateDirectory();

  /// Reads the saved state; nothing if there is none. Anything but a regular file counts as damaged
  /// as a whole. Throws std::runtime_error, with what to do, if the state cannot be read and that
  /// is to be refused.
  [[nodiscard]] std::optional<Restored> read() const;

  /// Removes the state after it has been restored, so that none of it is restored a second time.
  /// Keeps what was damaged under another name first, and returns that name. Throws
  /// std::runtime_error if the file cannot be removed.
  [[nodiscard]] std::optional<std::filesystem::path> forget(const Restored& read);

  /// Writes a state under another name, and renames it once it is on the disk. If it cannot be
  /// written completely, keeps what could be written. Throws std::runtime_error then, or if nothing
  /// could be written.
  void save(const SavedState& saved);

 private:
  /// The file that holds the state; nothing if there is none.
  [[nodiscard]] std::optional<std::filesystem::path> file_to_read() const;
  /// Throws, unless what cannot be read is to be set aside.
  void check_set_aside(const std::filesystem::path& file, const std::string& why,
                       const std::string& what_to_do) const;
  /// An unused name for what is damaged.
  [[nodiscard]] std::filesystem::path free_name() const;
  [[nodiscard]] std::filesystem::path set_aside(const Restored& read) const;
  void sync() const;

  std::filesystem::path path_;
  WhenUnreadable when_unreadable_;
  int directory_ = -1;  // open, and locked
};

}  // namespace meridian::state
