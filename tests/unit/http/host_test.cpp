#include "http/host.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace meridian::test {

using namespace http;

namespace {

const auto local = boost::asio::ip::make_address("192.0.2.7");
const std::vector<std::string> names{"meridian.example", "198.51.100.1"};

TEST(Host, IsTheAddressThatWasConnectedTo) {
  EXPECT_EQ(judge_host("192.0.2.7", local, {}), HostVerdict::ours);
  EXPECT_EQ(judge_host("192.0.2.7:7480", local, {}), HostVerdict::ours);
  EXPECT_EQ(judge_host("192.0.2.8", local, {}), HostVerdict::other);
  EXPECT_EQ(judge_host("192.0.2.7.example", local, {}), HostVerdict::other);
}

TEST(Host, IsAnAddressHoweverASocketHasIt) {
  const auto mapped = boost::asio::ip::make_address("::ffff:192.0.2.7");
  EXPECT_EQ(judge_host("192.0.2.7", mapped, {}), HostVerdict::ours);
  const auto scoped = boost::asio::ip::make_address("fe80::1%lo");
  EXPECT_EQ(judge_host("[fe80::1]:80", scoped, {}), HostVerdict::ours);
  EXPECT_EQ(judge_host("[FE80:0::1]", scoped, {}), HostVerdict::ours);
}

TEST(Host, IsLoopbackAndLocalhostThroughATunnel) {
  for (const char* host : {"localhost", "LOCALHOST:9", "localhost.", "127.0.0.1", "127.9.9.9:1",
                           "[::1]", "[::1]:443"}) {
    EXPECT_EQ(judge_host(host, local, {}), HostVerdict::ours) << host;
  }
  for (const char* host : {"localhost.example", "0.0.0.0", "[::]", "127.0.0.1.example", "127.1"}) {
    EXPECT_EQ(judge_host(host, local, {}), HostVerdict::other) << host;
  }
}

TEST(Host, IsANameOfTheConfiguration) {
  EXPECT_EQ(judge_host("Meridian.Example:80", local, names), HostVerdict::ours);
  EXPECT_EQ(judge_host("198.51.100.1", local, names), HostVerdict::ours);
  EXPECT_EQ(judge_host("a.meridian.example", local, names), HostVerdict::other);
  EXPECT_EQ(judge_host("meridian.example..", local, names), HostVerdict::other);
}

TEST(Host, IsAConfiguredNameInAnySpelling) {
  const std::vector<std::string> written{"Meridian.example.", "[2001:DB8:0::7]",
                                         "[::ffff:198.51.100.1]"};
  for (const char* host : {"meridian.example", "meridian.example.:80", "[2001:db8::7]",
                           "[2001:db8:0:0::7]:443", "198.51.100.1"}) {
    EXPECT_EQ(judge_host(host, local, written), HostVerdict::ours) << host;
  }
  for (const char* host : {"meridian.example..", "[2001:db8::8]", "198.51.100.2"}) {
    EXPECT_EQ(judge_host(host, local, written), HostVerdict::other) << host;
  }
}

TEST(Host, IsMalformed) {
  for (const char* host : {"", ":", ":80", "a b", "a,b", "a/b", "a@b", "localhost:x",
                           "localhost:-1", "localhost:65536", "[::1", "::1", "[127.0.0.1]", "[]",
                           ".", "..", "a\tb", "http://localhost", "localhost:80:80"}) {
    EXPECT_EQ(judge_host(host, local, names), HostVerdict::malformed) << '"' << host << '"';
  }
  EXPECT_EQ(judge_host("localhost:", local, {}), HostVerdict::ours) << "a port may be empty";
  EXPECT_EQ(judge_host(std::string(254, 'a'), local, {}), HostVerdict::malformed);
}

}  // namespace
}  // namespace meridian::test
