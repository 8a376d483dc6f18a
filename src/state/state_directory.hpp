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
  set_aside,  ///< the state counts as damaged: what can be read is restored, and the rest is kept
              ///< under another name
};

/// Owns a directory: one daemon at a time.
///
///     buffer.saved      the state of the last stop, until it is restored
///     buffer.saving     a state that is being written, or that an interrupted stop has left
///     buffer.damaged-*  what could not be read of a state; named after the time of the start (UTC)
///
/// Not thread-safe. All calls block for as long as the disk takes.
class StateDirectory {
 public:
  /// Locks the directory, and creates it (0700) if necessary. Throws std::runtime_error if the
  /// directory cannot be created, opened or written. If another daemon has it, the error says what
  /// to do.
  explicit StateDirectory(std::filesystem::path directory,
                          WhenUnreadable when_unreadable = WhenUnreadable::refuse);
  StateDirectory(const StateDirectory&) = delete;
  StateDirectory& operator=(const StateDirectory&) = delete;
  ~StateDirectory();

  /// Reads the saved state; nothing if there is none. If it is not a regular file, all of it counts
  /// as damaged. Throws std::runtime_error, with what to do, if the state cannot be read, under
  /// WhenUnreadable::refuse.
  [[nodiscard]] std::optional<Restored> read() const;

  /// Removes the state after it has been restored, so that nothing restores it again. First keeps
  /// what was damaged under another name, which it returns. Throws std::runtime_error if the file
  /// cannot be removed.
  [[nodiscard]] std::optional<std::filesystem::path> forget(const Restored& read);

  /// Writes a state under another name, and renames the file once it is on the disk. If the state
  /// cannot be written completely, keeps what could be written. Throws std::runtime_error in that
  /// case, and if nothing could be written.
  void save(const SavedState& saved);

 private:
  /// The file that holds the state; nothing if there is none.
  [[nodiscard]] std::optional<std::filesystem::path> file_to_read() const;
  /// Throws under WhenUnreadable::refuse. The other arguments are for the message.
  void check_set_aside(const std::filesystem::path& file, const std::string& why,
                       const std::string& what_to_do) const;
  /// A name for what is damaged that no file has.
  [[nodiscard]] std::filesystem::path free_name() const;
  [[nodiscard]] std::filesystem::path set_aside(const Restored& read) const;
  void sync() const;

  std::filesystem::path path_;
  WhenUnreadable when_unreadable_;
  int directory_ = -1;  // open, and locked
};

}  // namespace meridian::state
