#include "nats/server_url.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace meridian::test {

using namespace nats;

namespace {

struct Good {
  std::string text;
  std::string shown;
  std::string host;
  bool tls = false;
  std::optional<UserInfo> user_info = std::nullopt;
};

class ServerUrls : public testing::TestWithParam<Good> {};

TEST_P(ServerUrls, AreReadAndShownWithoutPasswords) {
  const auto read = read_server_url(GetParam().text);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->user_info, GetParam().user_info);
  EXPECT_EQ(read->shown, GetParam().shown);
  EXPECT_EQ(read->host, GetParam().host);
  EXPECT_EQ(read->tls, GetParam().tls);
}

INSTANTIATE_TEST_SUITE_P(
    Each, ServerUrls,
    testing::Values(Good{"nats://127.0.0.1:4223", "nats://127.0.0.1:4223", "127.0.0.1"},
                    Good{"nats://localhost", "nats://localhost:4222", "localhost"},
                    Good{"tls://nats.example:4222", "tls://nats.example:4222", "nats.example",
                         true},
                    Good{"nats://user:pass@word@host:1", "nats://host:1", "host", false,
                         UserInfo{"user", "pass@word"}},
                    Good{"nats://us%3Aer:p%40ss@host:1", "nats://host:1", "host", false,
                         UserInfo{"us:er", "p@ss"}},
                    Good{"nats://[::1]:4222", "nats://[::1]:4222", "::1"},
                    Good{"nats://token@[::1]", "nats://[::1]:4222", "::1", false,
                         UserInfo{"token", std::nullopt}}));

class BadServerUrls : public testing::TestWithParam<std::string> {};

TEST_P(BadServerUrls, AreRefused) {
  EXPECT_FALSE(read_server_url(GetParam()).has_value()) << GetParam();
}

INSTANTIATE_TEST_SUITE_P(Each, BadServerUrls,
                         testing::Values("", "127.0.0.1:4222", "http://host:1", "nats://",
                                         "nats://:4222", "nats://host:0", "nats://host:65536",
                                         "nats://user:pass@", "nats://ho st:1",
                                         "nats://user:p%ss@host:1", "nats://host:4222/path",
                                         "ws://host:80"));

}  // namespace
}  // namespace meridian::test
