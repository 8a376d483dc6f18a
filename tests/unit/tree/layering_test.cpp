// A room includes only from the rooms that its row of the table in ARCHITECTURE.md names.
#include "places.hpp"
#include "unit/tree/room_table.hpp"
#include "unit/tree/source_tree.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <filesystem>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace meridian::test {
namespace {

namespace fs = std::filesystem;

/// The room that a public header belongs to.
const std::map<std::string, std::string> room_of_public_header = {
    {"accounting.hpp", "aggregator"},
    {"aggregator.hpp", "aggregator"},
    {"aggregator_options.hpp", "aggregator"},
    {"amount.hpp", "aggregator"},
    {"channel.hpp", "channel"},
    {"consumer.hpp", "aggregator"},
    {"decoder.hpp", "frame"},
    {"detail/channel_core.hpp", "channel"},
    {"detail/context_watch.hpp", "channel"},
    {"detail/send_gate.hpp", "channel"},
    {"distribution.hpp", "aggregator"},
    {"doorbell.hpp", "channel"},
    {"drained.hpp", "aggregator"},
    {"errors.hpp", "channel"},
    {"frame.hpp", "frame"},
    {"frame_batch.hpp", "frame"},
    {"framing.hpp", "frame"},
    {"lent.hpp", "aggregator"},
    {"malformed.hpp", "frame"},
    {"named.hpp", "channel"},
    {"oneshot.hpp", "channel"},
    {"origins.hpp", "aggregator"},
    {"positions.hpp", "aggregator"},
    {"saved_state.hpp", "aggregator"},
    {"tail.hpp", "aggregator"},
    {"version.hpp", "channel"},
};

/// What every room may include: names for the values of enumerations.
constexpr std::string_view for_every_room = "meridian/named.hpp";

/// Has public headers alone, and no directory in src/.
constexpr std::string_view room_of_headers = "channel";

/// The room that an include leads to, or "" for headers of others.
std::string room_of_include(const std::string& include) {
  if (include.starts_with("meridian/")) {
    const auto room = room_of_public_header.find(include.substr(9));
    return room == room_of_public_header.end() ? "a public header of no room: " + include
                                               : room->second;
  }
  const std::string first = include.substr(0, include.find('/'));
  return rooms().contains(first) && first != include ? first : "";
}

/// Lines such as "src/uplink/session.hpp → control/server.hpp", for all includes that are not
/// allowed.
std::vector<std::string> violations(const std::string& room, const fs::path& file) {
  std::vector<std::string> found;
  for (const std::string& include : includes_of(file)) {
    const std::string target = include == for_every_room ? "" : room_of_include(include);
    if (!target.empty() && target != room && !rooms().at(room).contains(target)) {
      found.push_back(name_in_tree(file) + " → " + include);
    }
  }
  return found;
}

constexpr std::string_view what_to_do =
    "move what is needed into a room that the row names, or change the row in ARCHITECTURE.md";

TEST(Layering, RoomsIncludeOnlyWhatTheirRowsName) {
  std::size_t files = 0;
  for (const auto& [room, others] : rooms()) {
    if (room == room_of_headers) {
      continue;
    }
    const std::string directory = "src/" + room;
    for (const fs::path& file : files_below({directory}, {".cpp", ".hpp"})) {
      ++files;
      EXPECT_THAT(violations(room, file), testing::IsEmpty()) << what_to_do;
    }
  }
  EXPECT_GT(files, 40U);
}

TEST(Layering, PublicHeadersIncludeOnlyWhatTheirRoomsMay) {
  for (const auto& [header, room] : room_of_public_header) {
    EXPECT_THAT(violations(room, test::source_dir() / "include/meridian" / header),
                testing::IsEmpty())
        << what_to_do;
  }
}

TEST(Layering, EveryPublicHeaderBelongsToARoom) {
  for (const fs::path& file : files_below({"include/meridian"}, {".hpp"})) {
    const std::string header = fs::relative(file, test::source_dir() / "include/meridian").string();
    EXPECT_TRUE(room_of_public_header.contains(header)) << "say here which room has " << header;
  }
}

TEST(Layering, TableHasTheDirectoriesOfSources) {
  std::set<std::string> directories = {std::string(room_of_headers)};
  for (const auto& entry : fs::directory_iterator(test::source_dir() / "src")) {
    if (entry.is_directory()) {
      directories.insert(entry.path().filename().string());
    }
  }
  std::set<std::string> rows;
  for (const auto& [room, others] : rooms()) {
    rows.insert(room);
  }
  EXPECT_EQ(rows, directories) << "each room has a row in ARCHITECTURE.md and a directory in src/";
}

TEST(Layering, SinksKnowTheirTypesInTwoFiles) {
  const std::set<std::string> that_name_types = {"src/sink/options.hpp", "src/sink/types.cpp"};
  std::set<std::string> found;
  for (const fs::path& file : files_below({"src/sink"}, {".cpp", ".hpp"})) {
    const std::string name = name_in_tree(file);
    const bool is_of_a_type = file.parent_path().filename() != "sink";
    for (const std::string& include : includes_of(file)) {
      if (!is_of_a_type && include.starts_with("sink/jetstream/")) {
        found.insert(name);
      }
    }
  }
  EXPECT_EQ(found, that_name_types) << "what every sink does must not know where frames go";
}

TEST(Layering, NothingRacesAChannelOperationAgainstAnother) {
  // `||` on a receive can drop a message and on a send can send twice: see meridian/channel.hpp.
  for (const fs::path& file : files_below({"include", "src", "examples"}, {".cpp", ".hpp"})) {
    EXPECT_THAT(includes_of(file),
                testing::Not(testing::Contains(testing::HasSubstr("awaitable_operators"))))
        << name_in_tree(file) << ": close a socket for a timeout, or send a tick as a message";
  }
}

TEST(RoomTable, IsReadInEveryWording) {
  const Rooms read = rooms_in(
      {"## What flows", "| `x` | no room |", "## Rooms", "", "| room | job | may include |",
       "|---|---|---|", "| `channel` | first | – |", "| `frame` | second | – |",
       "| `runtime` | third, of course | channel |", "| `uplink` | has `a.hpp` | all above |",
       "| `control` | and more | all above but uplink |",
       "| `sink` | the last but one | as control, and nats |",
       "| `nats` | the last | runtime, frame |", "", "| `tests/` | another table |"});
  const std::set<std::string> first_three = {"channel", "frame", "runtime"};
  EXPECT_EQ(read, (Rooms{{"channel", {}},
                         {"frame", {}},
                         {"runtime", {"channel"}},
                         {"uplink", first_three},
                         {"control", first_three},
                         {"sink", {"channel", "frame", "runtime", "nats"}},
                         {"nats", {"frame", "runtime"}}}));
}

TEST(RoomTable, RefusesWhatItDoesNotUnderstand) {
  for (const char* cell : {"most of them", "frame", "as frame", "all above but frame", ""}) {
    EXPECT_THROW(std::ignore = rooms_in({"## Rooms", "| `channel` | job | – |",
                                         "| `runtime` | job | " + std::string(cell) + " |"}),
                 std::runtime_error)
        << cell;
  }
}

}  // namespace
}  // namespace meridian::test
