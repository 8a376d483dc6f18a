#include "control/role.hpp"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include <unistd.h>

namespace meridian::test {

using namespace control;

namespace {

constexpr gid_t operators = 4001;
constexpr gid_t readers = 4002;

Peer somebody(std::vector<gid_t> groups) {
  return {.uid = 4000, .pid = 1, .groups = std::move(groups)};
}

TEST(Role, IsFullForAllWithoutAReadersGroup) {
  EXPECT_EQ(role_of(somebody({}), {.group = operators}), Role::full);
  EXPECT_EQ(role_of({}, {}), Role::full);
}

TEST(Role, DependsOnTheGroupsOfTheClient) {
  const Access access{.group = operators, .read_only_group = readers};
  EXPECT_EQ(role_of(somebody({1, operators}), access), Role::full);
  EXPECT_EQ(role_of(somebody({1, readers}), access), Role::reader);
  EXPECT_EQ(role_of(somebody({readers, operators}), access), Role::full);
  EXPECT_EQ(role_of(somebody({1}), access), Role::none);
  EXPECT_EQ(role_of(somebody({}), access), Role::none);
}

TEST(Role, IsFullForRootAndTheDaemonsUser) {
  const Access access{.group = operators, .read_only_group = readers};
  EXPECT_EQ(role_of({.uid = 0, .pid = 1, .groups = {}}, access), Role::full);
  EXPECT_EQ(role_of({.uid = ::geteuid(), .pid = 1, .groups = {readers}}, access), Role::full);
}

TEST(Role, DefaultsToTheDaemonsOwnGroup) {
  const Access access{.read_only_group = readers};
  EXPECT_EQ(role_of(somebody({::getegid()}), access), Role::full);
  EXPECT_EQ(role_of(somebody({operators}), access), Role::none);
}

TEST(Role, IsNoneForUnknownPeers) {
  EXPECT_EQ(role_of({}, {.read_only_group = readers}), Role::none);
}

}  // namespace
}  // namespace meridian::test
