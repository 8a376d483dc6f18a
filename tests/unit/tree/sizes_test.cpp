// Files and functions are short enough to be read at one sitting.
#include "unit/tree/function_bodies.hpp"
#include "unit/tree/source_tree.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace meridian::test {
namespace {

using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;

constexpr std::size_t most_lines_of_a_source = 400;
constexpr std::size_t most_lines_of_a_test = 450;
constexpr std::size_t most_lines_of_a_function = 70;

/// The files of code below these directories that have more lines, each with their number.
std::vector<std::string> files_longer_than(std::size_t most,
                                           std::initializer_list<std::string_view> directories) {
  std::vector<std::string> found;
  for (const std::filesystem::path& file :
       files_below(directories, {".hpp", ".cpp", ".py", ".js", ".css", ".html"})) {
    if (const std::size_t lines = lines_of_file(file).size(); lines > most) {
      found.push_back(name_in_tree(file) + ": " + std::to_string(lines) + " lines");
    }
  }
  return found;
}

TEST(Sizes, OfSourceFilesAreBounded) {
  EXPECT_THAT(files_longer_than(most_lines_of_a_source, {"include", "src"}), IsEmpty())
      << "divide it by subject; at most " << most_lines_of_a_source << " lines, each file one job";
}

TEST(Sizes, OfTestFilesAreBounded) {
  EXPECT_THAT(files_longer_than(most_lines_of_a_test, {"tests"}), IsEmpty())
      << "divide it by subject, with what both parts share in a header beside them; at most "
      << most_lines_of_a_test << " lines";
}

TEST(Sizes, OfFunctionsAreBounded) {
  std::size_t functions = 0;
  std::vector<std::string> long_ones;
  for (const std::filesystem::path& file : files_below({"include", "src"}, {".hpp", ".cpp"})) {
    for (const FunctionBody& body : function_bodies(lines_of_file(file))) {
      ++functions;
      if (body.lines > most_lines_of_a_function) {
        long_ones.push_back(name_in_tree(file) + ": " + body.beginning + ": " +
                            std::to_string(body.lines) + " lines");
      }
    }
  }
  EXPECT_GT(functions, 1000U) << "the scan no longer finds them";
  EXPECT_THAT(long_ones, IsEmpty())
      << "give its steps functions of their own; at most " << most_lines_of_a_function << " lines";
}

TEST(FunctionBodies, AreFoundByTheirIndentation) {
  const std::vector<std::string> lines = {"namespace a {",
                                          "class Elsewhere;",
                                          "}",
                                          "namespace b {",
                                          "struct Empty {};",
                                          "enum class Kind { one, two };",
                                          "constexpr int table[] = {",
                                          "    1,",
                                          "};",
                                          "class Outer final : public Base,",
                                          "                    private Other {  // why",
                                          " public:",
                                          "  explicit Outer(int a)",
                                          "      : Base(a) {",
                                          "    if (a) {",
                                          "      run();",
                                          "    }",
                                          "  }",
                                          "  struct Inner {",
                                          "    void inner() {",
                                          "      run();",
                                          "    }",
                                          "  };",
                                          "  int one_line() { return 1; }",
                                          "};",
                                          "",
                                          "template <typename T>",
                                          "void longer(T first,",
                                          "            T second) {",
                                          "  struct Local {",
                                          "    void local() {",
                                          "      run();",
                                          "    }",
                                          "  };",
                                          "",
                                          "#ifdef HAVE_IT",
                                          "  for (;;) {",
                                          "  }",
                                          "#endif",
                                          "}",
                                          "}  // namespace b"};
  const auto body = [](const char* beginning, std::size_t count) {
    return testing::AllOf(Field(&FunctionBody::beginning, beginning),
                          Field(&FunctionBody::lines, count));
  };
  EXPECT_THAT(function_bodies(lines),
              ElementsAre(body("explicit Outer(int a)", 4), body("void inner() {", 2),
                          body("void local() {", 2), body("void longer(T first,", 11)));
}

}  // namespace
}  // namespace meridian::test
