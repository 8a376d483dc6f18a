/// The state that a daemon saves for the next one, as the description of its format specifies it.
///
/// Like frames.hpp, uses nothing of the library.
#pragma once

#include "integration/harness/daemon.hpp"

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace meridian::test {

/// A piece of a saved state: either a frame, or a mark, which says something about the frames. It
/// reaches from the octet at `begin` to the one before `end`.
struct SavedRecord {
  enum class Kind { frame, ledger, origins, block, end, places, consumer, version, forgotten };
  Kind kind = Kind::frame;
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// All records of an undamaged file.
[[nodiscard]] std::vector<SavedRecord> records_of(std::string_view file);

/// What a daemon must do with a damaged file.
struct Remains {
  std::vector<NativeFrame> frames;  ///< that it restores
  std::string lost;                 ///< octets that it sets aside
  bool has_ledger = false;
};

/// `damaged` is `whole` with some octets changed, or cut off at the end.
[[nodiscard]] Remains remains_of(std::string_view whole, std::string_view damaged);

/// A test with a state directory, and one daemon after another.
class StateTest : public DaemonTest {
 protected:
  Daemon& start(const Json& changes = Json::object(), const Surroundings& surroundings = {});
  /// Stops the daemon in an orderly way, and starts the next one.
  Daemon& restart(const Json& changes = Json::object(), const Surroundings& surroundings = {});

  [[nodiscard]] std::filesystem::path state() const { return directory().path() / "state"; }
  [[nodiscard]] std::filesystem::path saved() const { return state() / "buffer.saved"; }
  /// The names of the files in the state directory.
  [[nodiscard]] std::vector<std::string> files() const;
  /// Writes a file where the next daemon looks for the saved state.
  void leave(std::string_view octets) const;

  /// Drains everything in the buffer as JSON, with the receive times.
  [[nodiscard]] std::vector<Json> drain_as_json();
};

}  // namespace meridian::test
