/// The state that a daemon leaves for the next one, as the description of its format specifies it.
///
/// Nothing of the library is used here, as in frames.hpp.
#pragma once

#include "integration/harness/daemon.hpp"

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace meridian::test {

/// A piece of a saved state: a frame, or a mark that says something about the frames.
struct SavedRecord {
  enum class Kind { frame, ledger, origins, block, end, places, consumer, version, forgotten };
  Kind kind = Kind::frame;
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// All records of an undamaged file.
[[nodiscard]] std::vector<SavedRecord> records_of(std::string_view file);

/// What a daemon must make of a damaged file.
struct Remains {
  std::vector<NativeFrame> frames;  ///< restored
  std::string lost;                 ///< set aside
  bool has_ledger = false;
};

/// `damaged` is `whole` with some octets changed, or cut off at the end.
[[nodiscard]] Remains remains_of(std::string_view whole, std::string_view damaged);

/// A test with a state directory, over one daemon or several.
class StateTest : public DaemonTest {
 protected:
  Daemon& start(const Json& changes = Json::object(), const Surroundings& surroundings = {});
  /// Stops the daemon in order, and starts the next one.
  Daemon& restart(const Json& changes = Json::object(), const Surroundings& surroundings = {});

  [[nodiscard]] std::filesystem::path state() const { return directory().path() / "state"; }
  [[nodiscard]] std::filesystem::path saved() const { return state() / "buffer.saved"; }
  /// The names of what is in the state directory.
  [[nodiscard]] std::vector<std::string> files() const;
  /// Puts a file where the next daemon looks for a state.
  void leave(std::string_view octets) const;

  /// Everything in the buffer, with the times, as JSON.
  [[nodiscard]] std::vector<Json> drain_as_json();
};

}  // namespace meridian::test
