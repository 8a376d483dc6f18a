// Hash tables whose keys peers choose need a hash that peers cannot work out: frame/keyed_hash.hpp.
#include "places.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <string>

namespace meridian::test {
namespace {

namespace fs = std::filesystem;

/// How many other tables each file has, by keys that the daemon gives out itself, in their order.
const std::map<std::string, int> with_keys_of_our_own = {
    {"src/aggregator/given_up.hpp", 1},       // sessions
    {"src/aggregator/tails.hpp", 1},          // watchers
    {"src/nats/closures.hpp", 1},             // closures
    {"src/runtime/stop_group.hpp", 2},        // objects
    {"src/sink/jetstream/in_flight.cpp", 1},  // messages
    {"src/sink/jetstream/in_flight.hpp", 1},  // messages
    {"src/sink/jetstream/sink.hpp", 1},       // tickets
    {"src/sink/schedule.hpp", 1},             // tickets
    {"src/status/uplink_table.hpp", 1}};      // sessions

int tables_without_a_key(const fs::path& file) {
  static const std::regex table(R"(unordered_\w*(map|set)<)");
  int tables = 0;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    const bool keyed = line.find("KeyedHash") != std::string::npos;
    tables += std::regex_search(line, table) && !keyed ? 1 : 0;
  }
  return tables;
}

TEST(Tables, WithKeysFromPeersHaveAKeyedHash) {
  std::map<std::string, int> found;
  for (const char* directory : {"include", "src"}) {
    for (const auto& entry : fs::recursive_directory_iterator(test::source_dir() / directory)) {
      if (const int tables = entry.is_regular_file() ? tables_without_a_key(entry.path()) : 0) {
        found[fs::relative(entry.path(), test::source_dir()).string()] = tables;
      }
    }
  }
  EXPECT_EQ(found, with_keys_of_our_own)
      << "use frame::KeyedMap, or list the table here if nobody outside chooses its keys";
}

}  // namespace
}  // namespace meridian::test
