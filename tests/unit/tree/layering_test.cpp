// The order of the rooms, as ARCHITECTURE.md draws it: a room includes only from rooms to its left.
#include "places.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace meridian::test {
namespace {

namespace fs = std::filesystem;

using Rooms = std::set<std::string>;

/// Which rooms each room may include from, besides itself.
const std::map<std::string, Rooms> allowed = {
    {"frame", {}},
    {"channel", {}},
    {"runtime", {"channel"}},
    {"config", {"runtime"}},
    {"aggregator", {"frame", "channel", "runtime"}},
    {"status", {"frame", "channel", "runtime", "aggregator"}},
    {"nats", {"runtime"}},
    {"sink", {"frame", "channel", "runtime", "config", "aggregator", "status", "nats"}},
    {"uplink", {"frame", "channel", "runtime", "config", "aggregator", "status"}},
    {"control", {"frame", "channel", "runtime", "config", "aggregator", "status"}},
    {"http", {"frame", "channel", "runtime", "config", "aggregator", "status"}},
    {"state", {"frame", "channel", "aggregator"}},
    {"service", {"runtime"}},
    {"daemon",
     {"frame", "channel", "runtime", "config", "aggregator", "status", "uplink", "control", "http",
      "state", "service", "nats", "sink"}},
    {"ctl", {"frame", "runtime", "config", "status", "nats", "sink", "top"}},
    {"top", {"frame", "runtime", "status"}},
    {"sim", {"frame", "runtime", "status", "nats"}},
};

/// The room that a public header belongs to.
const std::map<std::string, std::string> room_of_public_header = {
    {"frame.hpp", "frame"},
    {"frame_batch.hpp", "frame"},
    {"framing.hpp", "frame"},
    {"malformed.hpp", "frame"},
    {"decoder.hpp", "frame"},
    {"positions.hpp", "aggregator"},
    {"consumer.hpp", "aggregator"},
    {"version.hpp", "channel"},
    {"named.hpp", "channel"},
    {"errors.hpp", "channel"},
    {"doorbell.hpp", "channel"},
    {"channel.hpp", "channel"},
    {"oneshot.hpp", "channel"},
    {"detail/channel_core.hpp", "channel"},
    {"detail/context_watch.hpp", "channel"},
    {"detail/send_gate.hpp", "channel"},
    {"accounting.hpp", "aggregator"},
    {"aggregator.hpp", "aggregator"},
    {"aggregator_options.hpp", "aggregator"},
    {"amount.hpp", "aggregator"},
    {"drained.hpp", "aggregator"},
    {"origins.hpp", "aggregator"},
    {"saved_state.hpp", "aggregator"},
    {"distribution.hpp", "aggregator"},
    {"lent.hpp", "aggregator"},
    {"tail.hpp", "aggregator"},
};

/// What every room may include: names for the values of enumerations.
constexpr std::string_view for_every_room = "meridian/named.hpp";

std::vector<std::string> includes_of(const fs::path& file) {
  static const std::regex include(R"re(^\s*#\s*include\s*["<]([^">]+)[">])re");
  std::vector<std::string> found;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    std::smatch match;
    if (std::regex_search(line, match, include)) {
      found.push_back(match[1]);
    }
  }
  return found;
}

/// The room that an include leads to, or "" for headers of others.
std::string room_of_include(const std::string& include) {
  if (include.starts_with("meridian/")) {
    const auto room = room_of_public_header.find(include.substr(9));
    return room == room_of_public_header.end() ? "a public header of no room: " + include
                                               : room->second;
  }
  const std::string first = include.substr(0, include.find('/'));
  return allowed.contains(first) && first != include ? first : "";
}

/// Lines such as "uplink/session.hpp → control", for all includes that are not allowed.
std::vector<std::string> violations(const std::string& room, const fs::path& file) {
  std::vector<std::string> found;
  for (const std::string& include : includes_of(file)) {
    const std::string target = include == for_every_room ? "" : room_of_include(include);
    if (!target.empty() && target != room && !allowed.at(room).contains(target)) {
      found.push_back(fs::relative(file, test::source_dir()).string() + " → " + include);
    }
  }
  return found;
}

TEST(Layering, EveryRoomIncludesOnlyFromRoomsToItsLeft) {
  std::size_t files = 0;
  std::vector<std::string> wrong;
  for (const auto& [room, others] : allowed) {
    if (room == "channel") {
      continue;  // has public headers alone
    }
    for (const auto& entry : fs::recursive_directory_iterator(test::source_dir() / "src" / room)) {
      ++files;
      for (std::string& violation : violations(room, entry.path())) {
        wrong.push_back(std::move(violation));
      }
    }
  }
  EXPECT_GT(files, 40U);
  EXPECT_THAT(wrong, testing::IsEmpty());
}

TEST(Layering, PublicHeadersIncludeOnlyFromRoomsToTheirLeft) {
  for (const auto& [header, room] : room_of_public_header) {
    EXPECT_THAT(violations(room, test::source_dir() / "include/meridian" / header),
                testing::IsEmpty());
  }
}

TEST(Layering, EveryDirectoryOfSourcesIsAKnownRoom) {
  for (const auto& entry : fs::directory_iterator(test::source_dir() / "src")) {
    if (entry.is_directory()) {
      EXPECT_TRUE(allowed.contains(entry.path().filename().string())) << entry.path();
    }
  }
}

TEST(Layering, NothingRacesAChannelOperationAgainstAnother) {
  // `||` on a receive can drop a message and on a send can send twice: see meridian/channel.hpp.
  for (const char* directory : {"include", "src", "examples"}) {
    for (const auto& entry : fs::recursive_directory_iterator(test::source_dir() / directory)) {
      if (entry.is_regular_file()) {
        EXPECT_THAT(includes_of(entry.path()),
                    testing::Not(testing::Contains(testing::HasSubstr("awaitable_operators"))))
            << entry.path();
      }
    }
  }
}

}  // namespace
}  // namespace meridian::test
