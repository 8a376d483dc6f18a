// No signal but SIGKILL, and those of faults, takes the buffer along.
#include "integration/harness/saved_state.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include <signal.h>
#include <string.h>

namespace meridian::test {
namespace {

class StopSignals : public StateTest, public testing::WithParamInterface<int> {};

TEST_P(StopSignals, StopTheDaemonInOrder) {
  start();
  send_whole(daemon().port(), frames_of(1, 0, 100));
  daemon().process().signal(GetParam());
  EXPECT_EQ(daemon().process().wait(), 0);
  EXPECT_TRUE(daemon().logged("stopping on SIG" + std::string(::sigabbrev_np(GetParam()))));
  start();
  EXPECT_EQ(daemon().connect().drain_all(), frames_of(1, 0, 100));
}

INSTANTIATE_TEST_SUITE_P(Each, StopSignals,
                         testing::Values(SIGTERM, SIGINT, SIGQUIT, SIGXCPU, SIGPWR),
                         [](const auto& each) { return std::string(::sigabbrev_np(each.param)); });

class StraySignals : public StateTest {};

TEST_F(StraySignals, DoNothing) {
  start();
  send_whole(daemon().port(), frames_of(1, 0, 100));
  for (const int signal : {SIGPIPE, SIGXFSZ, SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO,
                           SIGSTKFLT, SIGRTMIN, SIGRTMIN + 7, SIGRTMAX}) {
    daemon().process().signal(signal);
    ASSERT_TRUE(daemon().process().running()) << signal;
    ASSERT_EQ(daemon().call("depth").at("frames"), 100) << signal;
  }
  EXPECT_EQ(daemon().stop(), 0) << "none of them was on its way";
  start();
  EXPECT_EQ(daemon().connect().drain_all(), frames_of(1, 0, 100));
}

}  // namespace
}  // namespace meridian::test
