// A test's name is a sentence that somebody reads in a list: a short one.
#include "unit/tree/source_tree.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

namespace meridian::test {
namespace {

constexpr std::ptrdiff_t most_words = 8;

/// The words of a name such as "KeepsTheOldest", of which each begins with a capital letter.
std::ptrdiff_t words_in(std::string_view name) {
  return std::ranges::count_if(name, [](char c) { return c >= 'A' && c <= 'Z'; });
}

struct TestName {
  std::string suite;
  std::string name;
};

/// The tests that a file defines. A definition begins a line, and may go on in the next one.
std::vector<TestName> tests_in(const std::filesystem::path& file) {
  static const std::regex definition(R"(^TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\))");
  const std::vector<std::string> lines = lines_of_file(file);
  std::vector<TestName> found;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (!lines[i].starts_with("TEST")) {
      continue;
    }
    const std::string text = lines[i] + (i + 1 < lines.size() ? lines[i + 1] : "");
    std::smatch match;
    if (std::regex_search(text, match, definition)) {
      found.push_back({.suite = match[1], .name = match[2]});
    }
  }
  return found;
}

TEST(Names, OfTestsHaveAtMostEightWords) {
  std::size_t tests = 0;
  std::vector<std::string> long_ones;
  for (const std::filesystem::path& file : files_below({"tests"}, {".cpp"})) {
    for (const TestName& test : tests_in(file)) {
      ++tests;
      if (words_in(test.name) > most_words) {
        long_ones.push_back(name_in_tree(file) + ": " + test.suite + "." + test.name);
      }
    }
  }
  EXPECT_GT(tests, 1000U);
  EXPECT_THAT(long_ones, testing::IsEmpty())
      << "say in " << most_words << " words what must hold; divide a test that says two things";
}

}  // namespace
}  // namespace meridian::test
