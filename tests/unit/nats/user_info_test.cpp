#include "nats/user_info.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace meridian::test {

using namespace nats;

namespace {

TEST(UserInfo, IsDecoded) {
  EXPECT_EQ(read_user_info("alice:p%40ss"), (UserInfo{"alice", "p@ss"}));
  EXPECT_EQ(read_user_info("a%3Ab:c%2fd%25"), (UserInfo{"a:b", "c/d%"}));
  EXPECT_EQ(read_user_info("alice:a:b"), (UserInfo{"alice", "a:b"}));
  EXPECT_EQ(read_user_info("alice:"), (UserInfo{"alice", ""}));
  EXPECT_EQ(read_user_info("to%2Dken"), (UserInfo{"to-ken", std::nullopt}));
  EXPECT_EQ(read_user_info("alice:%C3%BC+"), (UserInfo{"alice", "\xC3\xBC+"}));
}

TEST(UserInfo, WithAStrayPercentSignIsRefused) {
  for (const char* text :
       {"alice:%", "alice:p%4", "alice:p%4g", "alice:% 41", "%zz:p", "alice:%00", "alice:%+4"}) {
    EXPECT_EQ(read_user_info(text), std::nullopt) << text;
  }
}

TEST(UserInfo, IsEscapedForJson) {
  EXPECT_EQ(escape_for_json("p@ss"), "p@ss");
  EXPECT_EQ(escape_for_json("a\"b\\c"), "a\\\"b\\\\c");
  EXPECT_EQ(escape_for_json("a\nb"), "a\\u000ab");
}

}  // namespace
}  // namespace meridian::test
