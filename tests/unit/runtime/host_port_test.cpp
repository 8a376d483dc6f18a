#include "runtime/host_port.hpp"

#include <gtest/gtest.h>

#include <string>

namespace meridian::test {

using namespace runtime;

namespace {

struct Good {
  std::string text;
  std::string host;
  std::uint16_t port;
  bool bracketed = false;
};

class HostPorts : public testing::TestWithParam<Good> {};

TEST_P(HostPorts, AreReadAsPeopleWriteThem) {
  const auto read = read_host_port(GetParam().text);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->host, GetParam().host);
  EXPECT_EQ(read->port, GetParam().port);
  EXPECT_EQ(read->bracketed, GetParam().bracketed);
}

INSTANTIATE_TEST_SUITE_P(Each, HostPorts,
                         testing::Values(Good{"127.0.0.1:7400", "127.0.0.1", 7400},
                                         Good{"localhost:0", "localhost", 0},
                                         Good{"[::1]:65535", "::1", 65535, true}));

class BadHostPorts : public testing::TestWithParam<std::string> {};

TEST_P(BadHostPorts, AreRefused) {
  EXPECT_FALSE(read_host_port(GetParam()).has_value());
}

INSTANTIATE_TEST_SUITE_P(Each, BadHostPorts,
                         testing::Values("", ":", "host", "host:", ":7400", "host:65536",
                                         "host:82936", "host:-1", "host:74x", "host: 74",
                                         "::1:7400"));

}  // namespace
}  // namespace meridian::test
