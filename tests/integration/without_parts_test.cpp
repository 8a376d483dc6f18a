// What a build that leaves parts out says where they are asked for: never silence.
#include "integration/harness/daemon.hpp"
#include "integration/harness/terminal.hpp"
#include "status/version.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace meridian::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class WithoutParts : public testing::Test {
 protected:
  [[nodiscard]] Finished run_with(const Json& changes) const {
    const std::string file =
        directory_.write("c.json", test::config_in(directory_, changes).dump());
    return test::run({test::meridiand, "--check-config", "--config", file});
  }

  [[nodiscard]] static std::string version() {
    return test::run({test::meridiand, "--version"}).out;
  }

  TempDir directory_;
};

TEST_F(WithoutParts, SinksAreRefusedByTheConfiguration) {
  if (status::with_nats) {
    GTEST_SKIP() << "this build has NATS";
  }
  const Finished refused =
      run_with({{"buffer", {{"when_full", "backpressure"}}},
                {"sinks", {{{"servers", {"nats://127.0.0.1:1"}}, {"stream", "T"}}}}});
  EXPECT_EQ(refused.status, 78);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("sinks: "), HasSubstr("built without NATS")));
  EXPECT_THAT(version(), HasSubstr("without NATS"));
}

TEST_F(WithoutParts, HttpIsRefusedByTheConfiguration) {
  if (status::with_http) {
    GTEST_SKIP() << "this build has HTTP";
  }
  const Finished refused = run_with({{"http", {{"listen", "127.0.0.1:0"}}}});
  EXPECT_EQ(refused.status, 78);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("http.listen: "), HasSubstr("built without HTTP")));
}

TEST_F(WithoutParts, StreamsAreNeitherCreatedNorRead) {
  if (status::with_nats) {
    GTEST_SKIP() << "this build has NATS";
  }
  const Finished read = test::run({test::meridian_sim, "consume", "--stream", "T"});
  EXPECT_EQ(read.status, 1);
  EXPECT_THAT(read.err, HasSubstr("this meridian-sim was built without NATS"));
  // The daemon's configuration may well have a sink: the daemon may be of another build.
  const std::string file = directory_.write(
      "sinks.json",
      test::config_in(directory_,
                      {{"buffer", {{"when_full", "backpressure"}}},
                       {"sinks", {{{"servers", {"nats://127.0.0.1:1"}}, {"stream", "T"}}}}})
          .dump());
  const Finished created = test::run({test::meridianctl, "sink", "create", "--config", file});
  EXPECT_EQ(created.status, 1);
  EXPECT_THAT(created.err, HasSubstr("this meridianctl was built without NATS"));
}

TEST_F(WithoutParts, TopRefusesATerminal) {
  if (status::with_top) {
    GTEST_SKIP() << "this build has the screen";
  }
  const test::Terminal terminal(directory_, {.width = 200});
  terminal.type(std::string(test::meridianctl) + " --socket /nowhere top; echo status=$?");
  ASSERT_TRUE(test::eventually([&] { return terminal.shows("status=1"); })) << terminal.screen();
  EXPECT_THAT(terminal.screen(), HasSubstr("this meridianctl was built without ncurses"));
}

TEST_F(WithoutParts, ServiceManagersSocketsAndWatchdogAreRefused) {
  if (status::with_systemd) {
    GTEST_SKIP() << "this build has systemd";
  }
  const std::string file = directory_.write("c.json", test::config_in(directory_).dump());
  const Finished sockets =
      test::run({"sh", "-c", "export LISTEN_PID=$$ LISTEN_FDS=1; exec \"$0\" \"$@\"",
                 test::meridiand, "--config", file});
  EXPECT_EQ(sockets.status, 1);
  EXPECT_THAT(sockets.err, AllOf(HasSubstr("LISTEN_FDS"), HasSubstr("built without systemd")));
  const Finished watchdog =
      test::run({test::meridiand, "--config", file}, {"WATCHDOG_USEC=1000000"});
  EXPECT_EQ(watchdog.status, 1);
  EXPECT_THAT(watchdog.err, AllOf(HasSubstr("WATCHDOG_USEC"), HasSubstr("built without systemd")));
}

}  // namespace
}  // namespace meridian::test
