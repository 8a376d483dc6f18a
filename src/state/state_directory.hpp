/// Where a state waits for the next start.
#pragma once

#include "state/saved_reader.hpp"

#include <meridian/aggregator.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace meridian::state {

/// What becomes of a state that is there and cannot be read: it may not be opened, the disk fails,
/// or a newer program wrote it.
enum class WhenUnreadable : std::uint8_t {
  refuse,     ///< nothing is touched
  set_aside,  ///< it counts as damaged: what can be read is restored, the rest kept under another
              ///< name
};

/// Owns a directory: one daemon at a time.
///
///     buffer.saved      the state of the last stop, until it is restored
///     buffer.saving     a state that is being written; what a stop that was cut short has left
///     buffer.damaged-*  what could not be read of a state, with the time (UTC) of the start
///
/// Not thread-safe. All calls block, as long as the disk takes.
class StateDirectory {
 public:
  /// Takes the directory, creating it (0700) if need be. Throws std::runtime_error, with what to
  /// do, if it cannot be written or another daemon has it.
  explicit StateDirectory(std::filesystem::path directory,
                          WhenUnreadable when_unreadable = WhenUnreadable::refuse);
  StateDirectory(const StateDirectory&) = delete;
  StateDirectory& operator=(const StateDirectory&) = delete;
  ~StateDirectory();

  /// Reads the saved state; nothing if there is none. What is no file is damaged as a whole. Throws
  /// std::runtime_error, with what to do, where it cannot be read and that is to be refused.
  [[nodiscard]] std::optional<Restored> read() const;

  /// The state that was read has been taken up: removes it, so that none of it comes back a second
  /// time. What was damaged in it is kept under another name first, which is returned. Throws
  /// std::runtime_error if the file cannot be removed.
  [[nodiscard]] std::optional<std::filesystem::path> forget(const Restored& read);

  /// Writes a state beside its place, and puts it there once it is on the disk. Where it cannot be
  /// written to its end, what could be is put there. Throws std::runtime_error then, or if nothing
  /// could be written.
  void save(const SavedState& saved);

 private:
  /// Nothing if there is none.
  [[nodiscard]] std::optional<std::filesystem::path> file_to_read() const;
  /// What cannot be read is to be set aside; else it throws.
  void check_set_aside(const std::filesystem::path& file, const std::string& why,
                       const std::string& what_to_do) const;
  /// For what is damaged.
  [[nodiscard]] std::filesystem::path free_name() const;
  [[nodiscard]] std::filesystem::path set_aside(const Restored& read) const;
  void sync() const;

  std::filesystem::path path_;
  WhenUnreadable when_unreadable_;
  int directory_ = -1;  // open, and locked
};

}  // namespace meridian::state
