#include "unit/tree/room_table.hpp"

#include "places.hpp"
#include "unit/tree/source_tree.hpp"

#include <algorithm>
#include <cstddef>
#include <regex>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace meridian::test {
namespace {

[[noreturn]] void refuse_table(const std::string& what) {
  throw std::runtime_error("the table of rooms in ARCHITECTURE.md: " + what);
}

/// "a, b, and c" in its parts.
std::vector<std::string> parts_of_cell(const std::string& cell) {
  constexpr std::string_view comma = ", ";
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin < cell.size();) {
    const std::size_t end = std::min(cell.find(comma, begin), cell.size());
    const std::string part = cell.substr(begin, end - begin);
    parts.push_back(part.starts_with("and ") ? part.substr(4) : part);
    begin = end + comma.size();
  }
  return parts;
}

/// What one part of the last cell stands for, below these rows.
std::set<std::string> rooms_meant_by(const std::string& part, const Rooms& above) {
  static const std::regex all_above("all above(?: but ([a-z]+))?");
  static const std::regex as_another("as ([a-z]+)");
  static const std::regex one("[a-z]+");
  std::smatch words;
  if (part == "–") {
    return {};
  }
  if (std::regex_match(part, words, all_above)) {
    std::set<std::string> meant;
    for (const auto& [room, others] : above) {
      meant.insert(room);
    }
    if (words[1].matched && meant.erase(words[1].str()) == 0) {
      refuse_table("no row above is called " + words[1].str());
    }
    return meant;
  }
  if (std::regex_match(part, words, as_another)) {
    const auto other = above.find(words[1].str());
    if (other == above.end()) {
      refuse_table("no row above is called " + words[1].str());
    }
    return other->second;
  }
  if (!std::regex_match(part, one)) {
    refuse_table("this is not understood: " + part);
  }
  return {part};
}

}  // namespace

Rooms rooms_in(const std::vector<std::string>& lines) {
  static const std::regex row(R"(\| `([a-z]+)` \|.*\| ([^|]+) \|)");
  const auto is_row = [](const std::string& line) { return line.starts_with("| `"); };
  const auto heading = std::find(lines.begin(), lines.end(), "## Rooms");
  const auto begin = std::find_if(heading, lines.end(), is_row);
  const auto end = std::find_if_not(begin, lines.end(), is_row);
  Rooms table;
  for (auto line = begin; line != end; ++line) {
    std::smatch cells;
    if (!std::regex_match(*line, cells, row)) {
      refuse_table("this row is not understood: " + *line);
    }
    std::set<std::string> others;
    for (const std::string& part : parts_of_cell(cells[2].str())) {
      others.merge(rooms_meant_by(part, table));
    }
    table.emplace(cells[1].str(), std::move(others));
  }
  for (const auto& [room, others] : table) {
    for (const std::string& other : others) {
      if (!table.contains(other)) {
        refuse_table(room + " may include from " + other + ", which has no row");
      }
    }
  }
  return table;
}

const Rooms& rooms() {
  static const Rooms table = rooms_in(lines_of_file(source_dir() / "ARCHITECTURE.md"));
  return table;
}

}  // namespace meridian::test
