#include "top/styled_text.hpp"

#include "top/terminal_text.hpp"

#include <gtest/gtest.h>

#include <clocale>
#include <string>

namespace meridian::test {

using namespace top;

namespace {

/// What can be shown depends on the locale.
class TerminalText : public testing::Test {
 protected:
  void SetUp() override { std::setlocale(LC_CTYPE, "C.UTF-8"); }
  void TearDown() override { std::setlocale(LC_CTYPE, "C"); }
};

TEST_F(TerminalText, KeepsWhatATerminalShows) {
  EXPECT_EQ(printable("node-1 [::1]:5 ~"), "node-1 [::1]:5 ~");
  EXPECT_EQ(printable("Weilheim-Süd 東京"), "Weilheim-Süd 東京");
}

TEST_F(TerminalText, ReplacesWhatWouldMoveTheCursor) {
  EXPECT_EQ(printable("a\nb\x1b[2Jc\td\x7f"), R"(a\nb\x1b[2Jc\td\x7f)");
  EXPECT_EQ(printable("\u202e\u200b\u0085"), R"(\u{202e}\u{200b}\u{85})");
}

TEST_F(TerminalText, ReplacesWhatIsNoUtf8) {
  EXPECT_EQ(printable("a\xff"), R"(a\xff)");
  EXPECT_EQ(printable("\xc3z"), R"(\xc3z)");
}

TEST_F(TerminalText, CountsCellsNotOctets) {
  EXPECT_EQ(cells_of("abc"), 3U);
  EXPECT_EQ(cells_of("ü"), 1U);
  EXPECT_EQ(cells_of("東京"), 4U);
}

TEST_F(TerminalText, ClipsBetweenCharacters) {
  EXPECT_EQ(clipped("abc", 2), "ab");
  EXPECT_EQ(clipped("abc", 5), "abc");
  EXPECT_EQ(clipped("üü", 1), "ü");
  EXPECT_EQ(clipped("東京", 3), "東");
  EXPECT_EQ(clipped("", 3), "");
}

TEST_F(TerminalText, BecomesWide) {
  EXPECT_EQ(to_wide("aü東"), L"aü東");
}

TEST(TerminalTextWithoutUtf8, IsAscii) {
  EXPECT_EQ(printable("Süd"), "S?d");
  EXPECT_EQ(printable("S\nd"), R"(S\nd)");
}

TEST(StyledLine, IsMadeOfSpans) {
  Line line("ab");
  line.add("cd", alarm_style).add("");
  EXPECT_EQ(line.text(), "abcd");
  EXPECT_EQ(line.cells(), 4U);
  ASSERT_EQ(line.spans().size(), 2U);
  EXPECT_EQ(line.spans()[1].style, alarm_style);
}

TEST(StyledLine, IsClippedAndPadded) {
  Line line("ab");
  line.add("cd", alarm_style);
  line.pad(6);
  EXPECT_EQ(line.text(), "abcd  ");
  line.pad(3);
  EXPECT_EQ(line.cells(), 6U);
  line.clip(3);
  EXPECT_EQ(line.text(), "abc");
  EXPECT_EQ(line.cells(), 3U);
  line.clip(2);
  EXPECT_EQ(line.text(), "ab");
  EXPECT_EQ(line.spans().size(), 1U);
  line.clip(0);
  EXPECT_EQ(line.text(), "");
}

TEST(StyledLine, Fades) {
  Line line("!silent", alarm_style);
  line.fade();
  EXPECT_EQ(line.spans()[0].style, Style{.dim = true});
  EXPECT_EQ(line.text(), "!silent") << "the sign stays";
}

TEST(FittedLine, GivesWayInTheOrderOfWeights) {
  const std::vector<Piece> pieces = {{.full = Line("received"), .brief = Line("rec"), .weight = 2},
                                     {.full = Line("octets"), .weight = 1},
                                     {.full = Line("dropped"), .brief = Line("drp"), .weight = 3}};
  const std::pair<std::size_t, const char*> cases[] = {{25, "received  octets  dropped"},
                                                       {24, "rec  octets  dropped"},
                                                       {20, "rec  octets  dropped"},
                                                       {19, "rec  octets  drp"},
                                                       {15, "rec  drp"},
                                                       {7, "drp"},
                                                       {2, "dr"},
                                                       {0, ""}};
  for (const auto& [cells, text] : cases) {
    EXPECT_EQ(fitted(pieces, cells).text(), text) << cells;
  }
  EXPECT_EQ(fitted({}, 10).text(), "");
}

}  // namespace
}  // namespace meridian::test
