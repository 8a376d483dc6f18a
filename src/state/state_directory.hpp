/// Where a state waits for the next start.
#pragma once

#include "state/saved_reader.hpp"

#include <meridian/aggregator.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace meridian::state {

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
  explicit StateDirectory(std::filesystem::path directory);
  StateDirectory(const StateDirectory&) = delete;
  StateDirectory& operator=(const StateDirectory&) = delete;
  ~StateDirectory();

  /// Reads the saved state; nothing if there is none. What is no file, or cannot be opened, is
  /// damaged as a whole.
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
  [[nodiscard]] std::filesystem::path file_to_read() const;
  /// For what is damaged.
  [[nodiscard]] std::filesystem::path free_name() const;
  [[nodiscard]] std::filesystem::path set_aside(const Restored& read) const;
  void sync() const;

  std::filesystem::path path_;
  int directory_ = -1;  // open, and locked
};

}  // namespace meridian::state
