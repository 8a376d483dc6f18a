#include "runtime/printable.hpp"

#include <gtest/gtest.h>

#include <string>

namespace meridian::test {

using namespace runtime;

namespace {

TEST(Printable, KeepsWhatIsShown) {
  for (const char* text : {"", "node-1 [::1]:5 ~", "Weilheim-Süd 東京 🛰", R"(a \ b)"}) {
    EXPECT_EQ(printable(text), text);
  }
}

TEST(Printable, EscapesCursorMovesAndLineBreaks) {
  EXPECT_EQ(printable("a\nb\x1b[2Jc\td\x7f\r"), R"(a\nb\x1b[2Jc\td\x7f\x0d)");
  EXPECT_EQ(printable(std::string("\0", 1)), R"(\x00)");
  EXPECT_EQ(printable("\u009b2J"), R"(\u{9b}2J)") << "as good as ESC [ for some terminals";
}

TEST(Printable, EscapesInvisibleAndDirectionalCharacters) {
  EXPECT_EQ(printable("\u202e\u2066\u200b\u2028\ufeff"),
            R"(\u{202e}\u{2066}\u{200b}\u{2028}\u{feff})");
  EXPECT_EQ(printable("\U000e0041"), R"(\u{e0041})");
}

TEST(Printable, ShowsWhatIsNoUtf8) {
  EXPECT_EQ(printable("a\xff"), R"(a\xff)");
  EXPECT_EQ(printable("\xc3"), R"(\xc3)") << "cut off";
  EXPECT_EQ(printable("\xc3z"), R"(\xc3z)");
  EXPECT_EQ(printable("\xc0\x80"), R"(\xc0\x80)") << "longer than need be";
  EXPECT_EQ(printable("\xe0\x80\x80"), R"(\xe0\x80\x80)");
  EXPECT_EQ(printable("\xed\xa0\x80"), R"(\xed\xa0\x80)") << "half of a surrogate pair";
  EXPECT_EQ(printable("\xf5\x80\x80\x80"), R"(\xf5\x80\x80\x80)");
  EXPECT_EQ(printable("\x9b"), R"(\x9b)");
}

TEST(Passwords, AreHiddenInAUrl) {
  EXPECT_EQ(hide_password("nats://host:1"), "nats://host:1");
  EXPECT_EQ(hide_password("nats://user:p@ss@host:1"), "nats://…@host:1");
  EXPECT_EQ(hide_password("user:pass@host"), "…@host");
  EXPECT_EQ(hide_password("nats://token@[::1]"), "nats://…@[::1]");
  EXPECT_EQ(hide_password("a@b://c"), "…@b://c");
  EXPECT_EQ(hide_password(""), "");
}

TEST(Passwords, AreHiddenInEveryUrlOfAText) {
  EXPECT_EQ(hide_passwords("no URL, but someone@example"), "no URL, but someone@example");
  EXPECT_EQ(hide_passwords(R"(["nats://u:secret@a","tls://b","tls://v:s cret@c"])"),
            R"(["nats://…@a","tls://b","tls://…@c"])");
  EXPECT_EQ(hide_passwords("last read: '\"nats://u:secret@h"), "last read: '\"nats://…@h");
  EXPECT_EQ(hide_passwords(R"(["nats://u:p\"ss@a","nats://u:p\\@b"])"),
            R"(["nats://…@a","nats://…@b"])")
      << "an escaped quotation mark is part of the password";
  EXPECT_EQ(hide_passwords("://"), "://");
}

}  // namespace
}  // namespace meridian::test
