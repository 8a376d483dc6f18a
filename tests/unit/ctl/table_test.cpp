#include "ctl/table.hpp"

#include <gtest/gtest.h>

namespace meridian::test {

using namespace ctl;

namespace {

using Align = Table::Align;

TEST(Table, WithoutRowsIsItsHeading) {
  const Table table({{"ID", Align::right}, {"NAME"}});
  EXPECT_TRUE(table.empty());
  EXPECT_EQ(table.to_text(), "ID  NAME\n");
}

TEST(Table, IsAsWideAsItsWidestCells) {
  Table table({{"NAME"}, {"FRAMES", Align::right}, {"STATE"}});
  table.add({"a", "1", "held"});
  table.add({"space-packets", "1,234,567", "receiving"});
  EXPECT_FALSE(table.empty());
  EXPECT_EQ(table.to_text(),
            "NAME              FRAMES  STATE\n"
            "a                      1  held\n"
            "space-packets  1,234,567  receiving\n");
}

TEST(Table, IsAsWideAsWiderHeadings) {
  Table table({{"SATELLITE", Align::right}, {"CHANNEL", Align::right}});
  table.add({"1", "2"});
  EXPECT_EQ(table.to_text(),
            "SATELLITE  CHANNEL\n"
            "        1        2\n");
}

TEST(Table, EndsNoLineInBlanks) {
  Table table({{"A"}, {"LONG HEADING"}});
  table.add({"x", ""});
  table.add({"", ""});
  EXPECT_EQ(table.to_text(),
            "A  LONG HEADING\n"
            "x\n"
            "\n");
}

TEST(Table, KeepsTheOrderOfRowsAndTheirCells) {
  Table table({{"TEXT"}});
  for (const char* cell : {"{}", "b", "a b", "b"}) {
    table.add({cell});
  }
  EXPECT_EQ(table.to_text(), "TEXT\n{}\nb\na b\nb\n");
}

}  // namespace
}  // namespace meridian::test
