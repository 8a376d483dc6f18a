// meridianctl top in a real terminal, which tmux is.
#include "integration/harness/bound_socket.hpp"
#include "integration/harness/daemon.hpp"
#include "integration/harness/descriptor.hpp"
#include "integration/harness/terminal.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

namespace meridian::test {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// A shell in a terminal, in which top is run.
class TopOnScreen : public DaemonTest {
 protected:
  /// Starts top, and waits until it shows something.
  void open(Terminal::Size size, const std::string& options = "") {
    launch(size, daemon().socket(), options);
    ASSERT_TRUE(eventually([this] { return is_open(); })) << screen();
  }

  /// Starts top. Files get the terminal's settings before and after, and its process id.
  void launch(Terminal::Size size, const std::string& socket, const std::string& options = "") {
    terminal_.emplace(directory(), size);
    terminal_->type(fmt::format(
        "stty -g > {}; sh -c 'echo $$ > {}; exec {} --socket {} top --interval 0.2 {}'"
        "; echo status $?; stty -g > {}",
        file("before"), file("pid"), test::meridianctl, socket, options, file("after")));
  }

  [[nodiscard]] const Terminal& terminal() const { return *terminal_; }
  [[nodiscard]] std::string screen() const { return terminal_->screen(); }
  [[nodiscard]] bool shows(std::string_view text) const { return terminal_->shows(text); }
  [[nodiscard]] bool is_open() const { return terminal_->is_taken() && shows("q quit"); }
  [[nodiscard]] std::string file(const char* name) const { return directory().file(name); }
  void press(const char* key) const { terminal_->press(key); }
  void signal(int number) const { ASSERT_EQ(::kill(std::stoi(read_file(file("pid"))), number), 0); }

  /// The first cells of the table's rows, from the top.
  [[nodiscard]] std::vector<std::string> ids() const {
    std::vector<std::string> found;
    bool in_table = false;
    for (const std::string& line : lines_of(screen())) {
      const std::size_t begin = std::min(line.find_first_not_of(' '), line.size());
      const std::string word = line.substr(begin, line.find(' ', begin) - begin);
      if (in_table && (word.empty() || std::isdigit(static_cast<unsigned char>(word[0])) == 0)) {
        break;
      }
      if (in_table) {
        found.push_back(word);
      }
      in_table |= word.starts_with("SATELLITE");
    }
    return found;
  }
  [[nodiscard]] bool has_ids(const std::vector<std::string>& wanted) const {
    return eventually([&] { return ids() == wanted; });
  }

  /// The shell has its terminal back as it was, with what stood there before, and the message.
  void expect_restored(const std::string& message) const {
    EXPECT_TRUE(eventually([&] { return shows(message); })) << screen();
    EXPECT_FALSE(terminal_->is_taken());
    EXPECT_TRUE(terminal_->has_cursor());
    EXPECT_THAT(screen(), StartsWith("ready>")) << "what was there before";
    EXPECT_THAT(screen(), Not(HasSubstr("q quit")));
    ASSERT_TRUE(eventually([this] {
      return std::filesystem::exists(file("after")) && !read_file(file("after")).empty();
    }));
    EXPECT_EQ(read_file(file("after")), read_file(file("before")));
  }

 private:
  std::optional<Terminal> terminal_;
};

std::string with_separators(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3;) {
    at -= 3;
    digits.insert(at, ",");
  }
  return digits;
}

TEST_F(TopOnScreen, ShowsALoadAndThenItsOutcome) {
  start({{"buffer", {{"max_frames", 1'000}}}});
  open({140, 30});
  ChildProcess load({test::meridian_sim, "--connect", fmt::format("127.0.0.1:{}", daemon().port()),
                     "--uplinks", "4", "--frames", "1000000", "--rate", "5000"});
  std::string under_load;
  ASSERT_TRUE(eventually([&] {
    under_load = screen();
    return under_load.find("!dropped") != std::string::npos &&
           under_load.find("4 uplinks open") != std::string::npos &&
           under_load.find("!buffer_full_oldest") != std::string::npos &&
           under_load.find("received 0/s") == std::string::npos;
  })) << screen();
  EXPECT_TRUE(load.running());
  EXPECT_THAT(under_load, Not(HasSubstr(" 0 B/s")));
  EXPECT_THAT(under_load, HasSubstr("balances"));

  load.signal(SIGTERM);
  load.wait();
  ASSERT_TRUE(eventually([this] { return daemon().stat("/sessions/open") == 0; }));
  const Json stats = daemon().call("stats");
  const Json& ledger = stats.at("ledger");
  const auto count = [](const Json& number) {
    return with_separators(number.get<std::uint64_t>());
  };
  const Json& dropped = ledger.at("dropped").at("buffer_full_oldest");
  const std::vector<std::string> wanted = {
      fmt::format("received {} = buffered {} + drained 0 + flushed 0 + ",
                  count(ledger.at("received")), count(ledger.at("buffered"))),
      fmt::format("dropped {}  balances", count(dropped)),
      fmt::format("buffer_full_oldest {}", count(dropped)), "0 uplinks open", "received 0/s"};
  for (const std::string& text : wanted) {
    EXPECT_TRUE(eventually([&] { return shows(text); })) << text << " in\n" << screen();
  }
  const Json satellites = daemon().call("satellites");
  for (const Json& row : satellites.at("satellites")) {
    EXPECT_THAT(screen(),
                testing::ContainsRegex(fmt::format(
                    "{} +{} +heard .* {} +{} ", row.at("satellite_id").dump(),
                    row.at("channel_id").dump(), count(row.at("frames")), count(row.at("bytes")))));
  }
}

TEST_F(TopOnScreen, FitsEverySize) {
  start();
  for (std::uint32_t satellite = 1; satellite <= 40; ++satellite) {
    send_whole(daemon().port(), frames_of(satellite, 0, 1));
  }
  open({100, 30});
  const Terminal::Size sizes[] = {{60, 15}, {40, 10}, {160, 50}, {100, 30}};
  for (const Terminal::Size& size : sizes) {
    terminal().resize(size);
    EXPECT_TRUE(eventually([&] {
      const auto lines = lines_of(screen());
      return lines.size() == size.height && lines.front().starts_with("meridian  up") &&
             lines.back().starts_with("q quit") && lines.back().ends_with(" of 40") &&
             ids().size() >= 2;
    })) << size.width
        << " by " << size.height << ":\n"
        << screen();
  }
  terminal().resize({30, 5});
  EXPECT_TRUE(eventually([this] { return screen() == "too small: needs 40 x 10\n\n\n\n\n"; }))
      << screen();
  terminal().resize({100, 30});
  EXPECT_TRUE(eventually([this] { return shows("q quit"); })) << screen();
}

TEST_F(TopOnScreen, SortsAndScrollsByKey) {
  start();
  send_whole(daemon().port(), frames_of(1, 0, 10));
  send_whole(daemon().port(), frames_of(2, 0, 30));
  send_whole(daemon().port(), frames_of(3, 0, 20));
  open({100, 24}, "--sort octets");
  EXPECT_TRUE(has_ids({"2", "3", "1"})) << screen();
  press("i");
  EXPECT_TRUE(has_ids({"1", "2", "3"})) << screen();
  press("f");
  EXPECT_TRUE(has_ids({"2", "3", "1"})) << screen();
  press("f");
  EXPECT_TRUE(has_ids({"1", "3", "2"})) << screen();
  terminal().resize({80, 10});  // two rows
  EXPECT_TRUE(eventually([this] { return ids().size() == 2; })) << screen();
  press("Down");
  EXPECT_TRUE(has_ids({"3", "2"})) << screen();
  press("Home");
  EXPECT_TRUE(has_ids({"1", "3"})) << screen();
  press("NPage");
  EXPECT_TRUE(eventually([this] { return shows("satellites 2-3 of 3"); })) << screen();
}

TEST_F(TopOnScreen, ShowsUplinksAndHelpByKey) {
  start();
  test::UplinkClient uplink(daemon().port());
  uplink.send(frames_of(7, 0, 1));
  open({120, 40});
  EXPECT_TRUE(eventually([this] { return shows("SATELLITE"); })) << screen();
  press("u");
  EXPECT_TRUE(eventually([&] { return shows(uplink.address()); })) << screen();
  press("?");
  EXPECT_TRUE(eventually([this] { return shows("scroll by a page"); })) << screen();
  press("Escape");
  EXPECT_TRUE(eventually([&] { return shows(uplink.address()); })) << screen();
  press("Tab");
  EXPECT_TRUE(eventually([this] { return shows("SATELLITE"); })) << screen();
}

TEST_F(TopOnScreen, HoldsTheFiguresWhilePaused) {
  start();
  open({100, 24});
  press("Space");
  ASSERT_TRUE(eventually([this] { return shows("PAUSED"); }));
  send_whole(daemon().port(), frames_of(7, 0, 4'321));
  // Some intervals pass.
  EXPECT_EQ(test::run({test::meridianctl, "--socket", daemon().socket(), "top", "--interval", "0.2",
                       "--count", "3"})
                .status,
            0);
  press("u");
  ASSERT_TRUE(eventually([this] { return shows("no uplinks are open"); })) << screen();
  EXPECT_THAT(screen(), HasSubstr("received 0 ="));
  press("Space");
  EXPECT_TRUE(eventually([this] { return shows("received 4,321 ="); })) << screen();
}

TEST_F(TopOnScreen, GivesTheTerminalBack) {
  start();
  open({100, 24});
  press("q");
  expect_restored("status 0");
}

TEST_F(TopOnScreen, GivesTheTerminalBackWhenItIsInterrupted) {
  start();
  open({100, 24});
  press("C-c");
  expect_restored("status 130");
}

TEST_F(TopOnScreen, GivesTheTerminalBackWhenItIsTerminated) {
  start();
  open({100, 24});
  signal(SIGTERM);
  expect_restored("status 143");
}

TEST_F(TopOnScreen, EndsAfterItsCount) {
  start();
  launch({100, 24}, daemon().socket(), "--count 4");
  expect_restored("status 0");
}

TEST_F(TopOnScreen, ReturnsTheTerminalToTheShellWhileSuspended) {
  start();
  open({100, 24});
  press("C-z");
  ASSERT_TRUE(eventually([this] { return !terminal().is_taken() && shows("Stopped"); }))
      << screen();
  terminal().resize({60, 15});
  terminal().type("fg");
  EXPECT_TRUE(eventually([this] {
    const auto lines = lines_of(screen());
    return is_open() && lines.size() == 15 && lines.back().starts_with("q quit");
  })) << screen();
}

TEST_F(TopOnScreen, GoesOnWhenTheDaemonIsBack) {
  start();
  send_whole(daemon().port(), frames_of(7, 0, 1'234));
  open({100, 30});
  ASSERT_TRUE(eventually([this] { return shows("1,234"); })) << screen();
  stop();
  EXPECT_TRUE(eventually([this] { return shows("! daemon gone for "); })) << screen();
  EXPECT_THAT(screen(), HasSubstr("received 1,234")) << "the last figures stay";
  start();
  send_whole(daemon().port(), frames_of(7, 0, 21));
  EXPECT_TRUE(eventually([this] { return shows("received 21 =") && !shows("gone"); })) << screen();
}

TEST_F(TopOnScreen, RespondsToKeysWhileTheDaemonIsSilent) {
  start();
  open({100, 24});
  daemon().process().signal(SIGSTOP);
  EXPECT_TRUE(eventually([this] { return shows("! no answer for "); })) << screen();
  press("u");
  EXPECT_TRUE(eventually([this] { return shows("no uplinks are open"); })) << screen();
  press("q");
  expect_restored("status 0");
  daemon().process().signal(SIGCONT);
}

TEST_F(TopOnScreen, ExplainsItsFailureAfterRestoringTheTerminal) {
  start();
  // In front of the daemon, somebody who gives its answers once, and then others.
  const std::string between = file("between.sock");
  const BoundSocket socket = BoundSocket::listening_file(between);
  launch({100, 24}, between);
  const Descriptor top(::accept(socket.descriptor(), nullptr, nullptr));
  // What comes before it is asked for would be taken for a farewell.
  const auto await_requests = [&top] {
    for (int lines = 0; lines < 3;) {
      char octet = 0;
      ASSERT_EQ(::read(top.number(), &octet, 1), 1);
      lines += octet == '\n' ? 1 : 0;
    }
  };
  const auto answer = [&top](const Json& result) {
    const std::string line = Json{{"jsonrpc", "2.0"}, {"id", 1}, {"result", result}}.dump() + "\n";
    EXPECT_EQ(::write(top.number(), line.data(), line.size()), static_cast<ssize_t>(line.size()));
  };
  await_requests();
  for (const char* method : {"stats", "satellites", "uplinks"}) {
    answer(daemon().call(method));
  }
  ASSERT_TRUE(eventually([this] { return is_open(); })) << screen();
  await_requests();
  for (int i = 0; i < 3; ++i) {
    answer(Json::object());
  }
  expect_restored("status 1");
  EXPECT_THAT(screen(), HasSubstr("meridianctl: "));
}

}  // namespace
}  // namespace meridian::test
