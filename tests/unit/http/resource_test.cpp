#include "http/resource.hpp"

#include <gtest/gtest.h>

namespace meridian::test {

using namespace http;

namespace {

TEST(Resource, IsFoundByItsPath) {
  EXPECT_EQ(resource_at("/metrics"), Resource::metrics);
  EXPECT_EQ(resource_at("/healthz"), Resource::healthz);
  EXPECT_EQ(resource_at("/readyz"), Resource::readyz);
  EXPECT_EQ(resource_at("/api/v1/stats"), Resource::stats);
  EXPECT_EQ(resource_at("/api/v1/uplinks"), Resource::uplinks);
  EXPECT_EQ(resource_at("/api/v1/satellites"), Resource::satellites);
}

TEST(Resource, DoesNotDependOnTheQuery) {
  EXPECT_EQ(resource_at("/metrics?name[]=up"), Resource::metrics);
  EXPECT_EQ(resource_at("/healthz?"), Resource::healthz);
}

TEST(Resource, IsFoundByAWholeAddress) {
  EXPECT_EQ(resource_at("http://localhost:7480/metrics?x"), Resource::metrics);
  EXPECT_EQ(path_of("http://localhost:7480"), "/");
  EXPECT_EQ(path_of("http://localhost:7480?x=/metrics"), "/");
  EXPECT_EQ(resource_at("http:///"), std::nullopt);
}

TEST(Resource, IsNothingElsewhere) {
  for (const char* target : {"", "/", "metrics", "/metrics/", "/Metrics", "//metrics", "/api/v1",
                             "/api/v1/stats/../stats", "?/metrics", "*"}) {
    EXPECT_EQ(resource_at(target), std::nullopt) << target;
  }
}

}  // namespace
}  // namespace meridian::test
