// Neither rooms nor headers lead in a circle: each can be read, compiled and tested before what
// builds on it.
#include "unit/tree/room_table.hpp"
#include "unit/tree/source_tree.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <map>
#include <ranges>
#include <set>
#include <string>
#include <vector>

namespace meridian::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// What each includes, or may include.
using Arrows = std::map<std::string, std::set<std::string>>;

/// Goes along arrows, depth first.
class CycleSearch {
 public:
  /// The arrows must outlive the search.
  explicit CycleSearch(const Arrows& arrows) : arrows_(arrows) {}

  /// The first cycle that a walk from here meets, as "b", "c", "b"; empty if it meets none. After
  /// a cycle the search is over.
  std::vector<std::string> cycle_from(const std::string& name) {
    if (const auto first = std::ranges::find(way_, name); first != way_.end()) {
      std::vector<std::string> cycle(first, way_.end());
      cycle.push_back(name);
      return cycle;
    }
    const auto from_here = arrows_.find(name);
    if (from_here == arrows_.end() || !seen_.insert(name).second) {
      return {};
    }
    way_.push_back(name);
    for (const std::string& next : from_here->second) {
      if (std::vector<std::string> cycle = cycle_from(next); !cycle.empty()) {
        return cycle;
      }
    }
    way_.pop_back();
    return {};
  }

 private:
  const Arrows& arrows_;
  std::set<std::string> seen_;    ///< from which no walk has to start again
  std::vector<std::string> way_;  ///< to where the walk is now
};

std::vector<std::string> first_cycle(const Arrows& arrows) {
  CycleSearch search(arrows);
  for (const std::string& name : std::views::keys(arrows)) {
    if (std::vector<std::string> cycle = search.cycle_from(name); !cycle.empty()) {
      return cycle;
    }
  }
  return {};
}

TEST(CycleSearch, FindsACycleWithItsWay) {
  EXPECT_THAT(first_cycle({{"a", {"b"}}, {"b", {"c", "d"}}, {"c", {}}, {"d", {"b"}}}),
              ElementsAre("b", "d", "b"));
  EXPECT_THAT(first_cycle({{"a", {"a"}}}), ElementsAre("a", "a"));
}

TEST(CycleSearch, FindsNoneWhereWaysMeetAgain) {
  EXPECT_THAT(first_cycle({{"a", {"b", "c"}}, {"b", {"d"}}, {"c", {"d"}}, {"d", {"elsewhere"}}}),
              IsEmpty());
}

TEST(Cycles, DoNotExistAmongRooms) {
  EXPECT_THAT(first_cycle(rooms()), IsEmpty())
      << "ARCHITECTURE.md lets these rooms include each other: one of them has two jobs";
}

TEST(Cycles, DoNotExistAmongHeaders) {
  Arrows includes;
  for (const std::filesystem::path& file : files_below({"include", "src"}, {".hpp"})) {
    const std::string name = name_in_tree(file);  // "src/frame/wire.hpp", included without "src/"
    const std::vector<std::string> found = includes_of(file);
    includes[name.substr(name.find('/') + 1)].insert(found.begin(), found.end());
  }
  EXPECT_GT(includes.size(), 40U);
  EXPECT_THAT(first_cycle(includes), IsEmpty())
      << "these headers include each other: move what both need into a header of its own";
}

TEST(Cycles, DoNotExistAmongFilesOfARoom) {
  // A header and its source count as one. Public headers, which the sources of two rooms implement,
  // do not count.
  Arrows uses;
  for (const std::filesystem::path& file : files_below({"src"}, {".cpp", ".hpp"})) {
    const std::string name = name_in_tree(file).substr(4);  // "frame/wire.hpp"
    const std::string room = name.substr(0, name.find('/') + 1);
    const std::string part = name.substr(0, name.rfind('.'));
    for (const std::string& include : includes_of(file)) {
      const std::string target = include.substr(0, include.rfind('.'));
      if (include.starts_with(room) && target != part) {
        uses[part].insert(target);
      }
    }
  }
  EXPECT_GT(uses.size(), 100U);
  EXPECT_THAT(first_cycle(uses), IsEmpty())
      << "these use each other: give what both need a file of its own";
}

}  // namespace
}  // namespace meridian::test
