/// The table of rooms in ARCHITECTURE.md: which room may include from which others.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

namespace meridian::test {

/// For each room, the others that its files may include from.
using Rooms = std::map<std::string, std::set<std::string>>;

/// Reads the table that follows the heading "## Rooms": the first cell of a row names a room, the
/// last one what it may include, as rooms (`frame, channel`), as `all above` or `all above but
/// uplink`, or as another row has it (`as control, and nats`). Throws std::runtime_error with the
/// row that it does not understand.
[[nodiscard]] Rooms rooms_in(const std::vector<std::string>& lines);

/// The rooms of this checkout.
[[nodiscard]] const Rooms& rooms();

}  // namespace meridian::test
