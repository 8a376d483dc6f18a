// A header begins with a sentence about what is in it, so that its first line is enough to know
// whether to read on.
#include "unit/tree/source_tree.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace meridian::test {
namespace {

TEST(Headers, BeginWithASentenceAboutThem) {
  std::size_t headers = 0;
  for (const std::filesystem::path& file : files_below({"include", "src", "tests"}, {".hpp"})) {
    const std::vector<std::string> lines = lines_of_file(file);
    ASSERT_FALSE(lines.empty()) << name_in_tree(file);
    const std::size_t first = lines[0] == "// clang-format off" ? 1 : 0;
    ++headers;
    EXPECT_TRUE(lines.at(first).starts_with("/// "))
        << name_in_tree(file) << ": say on its first line, with ///, what is in it";
  }
  EXPECT_GT(headers, 40U);
}

}  // namespace
}  // namespace meridian::test
