// What a reload reads and leaves behind: a configuration that is a pipe, secrets, the former log.
#include "integration/harness/daemon.hpp"
#include "status/version.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

namespace meridian::test {
namespace {

class ReloadFiles : public DaemonTest {
 protected:
  static Json buffer(std::uint64_t max_frames, const char* when_full) {
    return {{"buffer", {{"max_frames", max_frames}, {"when_full", when_full}}}};
  }
  std::string file() const { return directory().file("meridiand.json"); }
  /// How many were asked for by clients, as the log has it.
  std::size_t reloads_logged() {
    return static_cast<std::size_t>(
        std::ranges::count_if(test::lines_of(daemon().log()), [](const std::string& line) {
          return line.find(" reload (by uid ") != std::string::npos;
        }));
  }
};

TEST_F(ReloadFiles, FormerLogFileIsClosedOnceWritten) {
  const std::string log = directory().file("meridiand.log");
  start({{"log", {{"target", log}}}});
  std::filesystem::rename(log, log + ".1");
  const auto is_open = [this](std::string_view name) {
    bool found = false;
    for (const auto& each : std::filesystem::directory_iterator(
             fmt::format("/proc/{}/fd", daemon().process().pid()))) {
      std::error_code closed;
      found = found || std::filesystem::read_symlink(each.path(), closed).filename() == name;
    }
    return found;
  };
  ASSERT_TRUE(is_open("meridiand.log.1"));
  daemon().process().signal(SIGHUP);
  EXPECT_TRUE(eventually([&] { return !is_open("meridiand.log.1"); }));
  EXPECT_TRUE(is_open("meridiand.log"));
}

TEST_F(ReloadFiles, WaitingReloadsIdleAndAreAllAnswered) {
  start();
  std::filesystem::remove(file());
  ASSERT_EQ(::mkfifo(file().c_str(), 0600), 0);
  std::vector<ControlClient> clients;
  for (std::size_t i = 0; i < 3; ++i) {  // the first waits for whoever writes, the others for it
    clients.push_back(daemon().connect());
    clients.back().send_line(rpc("reload"));
    ASSERT_TRUE(eventually([&] { return reloads_logged() == i + 1; }));
  }
  const std::chrono::milliseconds cpu_before = daemon().process().cpu_time();
  std::this_thread::sleep_for(std::chrono::milliseconds(500));  // half a second to measure
  EXPECT_LT(daemon().process().cpu_time() - cpu_before, std::chrono::milliseconds(250))
      << "they must not wake each other";

  for (std::size_t i = 0; i < clients.size(); ++i) {
    const std::string text = config_in(directory(), buffer(10 + i, "drop_oldest")).dump();
    const int writer = ::open(file().c_str(), O_WRONLY | O_CLOEXEC);  // waits for whoever reads
    ASSERT_GE(writer, 0);
    ASSERT_EQ(::write(writer, text.data(), text.size()), static_cast<ssize_t>(text.size()));
    ::close(writer);
    EXPECT_EQ(clients[i].read_json().at("result").at("changed").size(), 1U) << i;
  }
  EXPECT_EQ(daemon().call("stats").at("buffer").at("max_frames"), 12) << "the last one's";
}

TEST_F(ReloadFiles, SecretReadableByOthersIsWarnedOf) {
  if (!status::with_nats) {
    GTEST_SKIP() << "this build has no NATS, and so no sinks";
  }
  start(buffer(1000, "backpressure"));
  Json changes = buffer(1000, "backpressure");
  const Json servers = Json::array({"nats://user:pass@127.0.0.1:4222"});
  changes["sinks"] = Json::array({Json{{"servers", servers}, {"stream", "T"}}});
  daemon().configure(config_in(directory(), changes));
  std::filesystem::permissions(file(), std::filesystem::perms{0644});
  EXPECT_EQ(daemon().call("reload").at("needs_restart"), Json{"sinks"});
  EXPECT_TRUE(daemon().logged(file() + " holds a password, and every user"));
}

}  // namespace
}  // namespace meridian::test
