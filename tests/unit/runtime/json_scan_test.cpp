#include "runtime/json_scan.hpp"

#include <gtest/gtest.h>

#include <string>

namespace meridian::test {

using namespace runtime;

namespace {

using Kind = JsonFault::Kind;

std::string lists(std::size_t levels) {
  return std::string(levels, '[') + std::string(levels, ']');
}

JsonFault fault_in(std::string_view text, const JsonRules& rules = {}) {
  return scan_json(text, rules).fault.value();
}

TEST(ScanJson, FindsNothingWrongWithWhatIsSound) {
  for (const char* text : {"{}", "[]", "1", R"("x")", R"({"a":{"a":1},"b":[{"a":1},{"a":2}]})"}) {
    EXPECT_FALSE(scan_json(text, {}).fault.has_value()) << text;
  }
  EXPECT_FALSE(scan_json("{} // [[[", {.comments = true}).fault.has_value());
  EXPECT_EQ(fault_in("{} // x").kind, Kind::not_json);
}

TEST(ScanJson, NamesThePlaceOfAFault) {
  EXPECT_EQ(fault_in(R"({"a":[1,{"b":1,"b":2}]})").path, "a[1].b");
  EXPECT_EQ(fault_in(R"({"a":[1,2,1e999]})").kind, Kind::number_too_large);
  EXPECT_EQ(fault_in(R"({"a":[1,2,1e999]})").path, "a[2]");
  EXPECT_EQ(fault_in(R"({"a":[1,[[]]]})", {.deepest = 3}).path, "a[1][0]");
}

TEST(ScanJson, GoesToTheDeepestLevelAndNoFurther) {
  EXPECT_FALSE(scan_json(lists(5), {.deepest = 5}).fault.has_value());
  EXPECT_EQ(fault_in(lists(6), {.deepest = 5}).kind, Kind::nested_too_deeply);
  EXPECT_EQ(fault_in(lists(3'000'000), {}).kind, Kind::nested_too_deeply);
  EXPECT_EQ(fault_in(std::string(3'000'000, '['), {}).kind, Kind::not_json);
}

TEST(ScanJson, KnowsAnIdWhereverItStands) {
  EXPECT_EQ(scan_json(R"({"x":[[[]]],"id":123456789012345678901})", {.deepest = 2}).id,
            "123456789012345678901");
  EXPECT_EQ(scan_json(R"({"id":"a","x":{"id":1}})", {}).id, R"("a")");
  for (const char* text : {R"({"x":{"id":1}})", R"({"id":true})", R"({"id":[1]})", R"([{"id":1}])",
                           R"({"id":1,"id":2})", R"("id")"}) {
    EXPECT_FALSE(scan_json(text, {}).id.has_value()) << text;
  }
}

TEST(IsNestedDeeper, CountsBracketsOutsideOfStrings) {
  EXPECT_FALSE(is_nested_deeper(lists(4), 4));
  EXPECT_TRUE(is_nested_deeper(lists(5), 4));
  EXPECT_FALSE(is_nested_deeper(R"([{},{},{},[],"[[[[\"[[[["])", 2));
  EXPECT_TRUE(is_nested_deeper(R"(["\\",[[]]])", 2));
  EXPECT_FALSE(is_nested_deeper("]]]]", 0)) << "invalid, which is for the parser to say";
}

}  // namespace
}  // namespace meridian::test
