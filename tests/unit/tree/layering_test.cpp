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
#include <vector>

namespace meridian {
namespace {

namespace fs = std::filesystem;

using Rooms = std::set<std::string>;

/// Which rooms each room may include from, besides itself.
const std::map<std::string, Rooms> allowed = {
    {"frame", {}},
    {"channel", {}},
    {"runtime", {"channel"}},
    {"aggregator", {"frame", "channel", "runtime"}},
    {"status", {"frame", "channel", "runtime", "aggregator"}},
    {"sink", {"frame", "channel", "runtime", "aggregator", "status"}},
    {"uplink", {"frame", "channel", "runtime", "aggregator", "status"}},
    {"control", {"frame", "channel", "runtime", "aggregator", "status"}},
    {"http", {"frame", "channel", "runtime", "aggregator", "status"}},
    {"state", {"frame", "channel", "aggregator"}},
    {"service", {"runtime"}},
    {"daemon",
     {"frame", "channel", "runtime", "aggregator", "status", "uplink", "control", "http", "state",
      "service", "sink"}},
    {"ctl", {"frame", "runtime", "status", "control", "sink"}},
    {"top", {"frame", "runtime", "status", "control", "ctl"}},
    {"sim", {"frame", "runtime", "status"}},
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
    {"errors.hpp", "channel"},
    {"doorbell.hpp", "channel"},
    {"channel.hpp", "channel"},
    {"oneshot.hpp", "channel"},
    {"detail/channel_core.hpp", "channel"},
    {"detail/context_watch.hpp", "channel"},
    {"detail/send_gate.hpp", "channel"},
    {"aggregator.hpp", "aggregator"},
    {"distribution.hpp", "aggregator"},
    {"lent.hpp", "aggregator"},
    {"tail.hpp", "aggregator"},
};

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
    const std::string target = room_of_include(include);
    if (!target.empty() && target != room && !allowed.at(room).contains(target)) {
      found.push_back(fs::relative(file, testing::source_dir()).string() + " → " + include);
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
    for (const auto& entry :
         fs::recursive_directory_iterator(testing::source_dir() / "src" / room)) {
      ++files;
      for (std::string& violation : violations(room, entry.path())) {
        wrong.push_back(std::move(violation));
      }
    }
  }
  EXPECT_GT(files, 40U);
  EXPECT_THAT(wrong, ::testing::IsEmpty());
}

TEST(Layering, PublicHeadersIncludeOnlyFromRoomsToTheirLeft) {
  for (const auto& [header, room] : room_of_public_header) {
    EXPECT_THAT(violations(room, testing::source_dir() / "include/meridian" / header),
                ::testing::IsEmpty());
  }
}

TEST(Layering, EveryDirectoryOfSourcesIsAKnownRoom) {
  for (const auto& entry : fs::directory_iterator(testing::source_dir() / "src")) {
    if (entry.is_directory()) {
      EXPECT_TRUE(allowed.contains(entry.path().filename().string())) << entry.path();
    }
  }
}

TEST(Layering, NothingRacesAChannelOperationAgainstAnother) {
  // `||` on a receive can drop a message and on a send can send twice: see meridian/channel.hpp.
  for (const char* directory : {"include", "src", "examples"}) {
    for (const auto& entry : fs::recursive_directory_iterator(testing::source_dir() / directory)) {
      if (entry.is_regular_file()) {
        EXPECT_THAT(
            includes_of(entry.path()),
            ::testing::Not(::testing::Contains(::testing::HasSubstr("awaitable_operators"))))
            << entry.path();
      }
    }
  }
}

}  // namespace
}  // namespace meridian
