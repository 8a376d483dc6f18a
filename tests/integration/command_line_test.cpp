// What all programs have in common: what they say of a command line, and an output that is full.
#include "integration/harness/daemon.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace meridian::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

using Words = std::vector<std::string>;

/// Runs a program with its standard output on a device that is full, or with none.
Finished run_into(const std::string& redirection, Words words) {
  words.insert(words.begin(), {"sh", "-c", "\"$0\" \"$@\" " + redirection});
  return test::run(words);
}

class OutputThatIsFull : public DaemonTest {};

TEST_F(OutputThatIsFull, IsAFailureOfEveryCommand) {
  start();
  send_whole(daemon().port(), frames_of(1, 0, 10));
  const std::vector<Words> commands = {{"depth"},
                                       {"stats"},
                                       {"--json", "stats"},
                                       {"uplinks"},
                                       {"satellites"},
                                       {"sinks"},
                                       {"version"},
                                       {"reload"},
                                       {"log-level", "info"},
                                       {"drain"},
                                       {"drain", "--no-lease", "--max", "1"},
                                       {"top", "--count", "1", "--interval", "0.1"},
                                       {"flush"},
                                       {"--help"},
                                       {"--version"},
                                       {"drain", "--help"},
                                       {"sink", "create", "--help"}};
  for (const Words& command : commands) {
    Words words = {test::meridianctl, "--socket", daemon().socket()};
    words.insert(words.end(), command.begin(), command.end());
    for (const char* where : {"> /dev/full", ">&-"}) {
      SCOPED_TRACE(fmt::format("{} {}", fmt::join(command, " "), where));
      const Finished finished = run_into(where, words);
      EXPECT_EQ(finished.status, 1);
      EXPECT_THAT(finished.err, AllOf(StartsWith("meridianctl: "), HasSubstr("standard output")));
    }
  }
}

TEST_F(OutputThatIsFull, LeavesTheHealthUnknown) {
  start();
  for (const char* where : {"> /dev/full", ">&-"}) {
    const Finished finished =
        run_into(where, {test::meridianctl, "--socket", daemon().socket(), "health"});
    EXPECT_EQ(finished.status, 3) << where;
    EXPECT_THAT(finished.err, HasSubstr("standard output"));
  }
}

TEST_F(OutputThatIsFull, FailsTheDaemonAndTheSimulator) {
  start();
  const std::string config = directory().write("checked.json", "{}");
  const std::string address = fmt::format("127.0.0.1:{}", daemon().port());
  const std::vector<Words> commands = {
      {test::meridiand, "--help"},
      {test::meridiand, "--version"},
      {test::meridiand, "--config", config, "--check-config"},
      {test::meridian_sim, "--help"},
      {test::meridian_sim, "--version"},
      {test::meridian_sim, "consume", "--help"},
      {test::meridian_sim, "--connect", address, "--uplinks", "1", "--frames", "1"}};
  for (const Words& command : commands) {
    SCOPED_TRACE(fmt::format("{}", fmt::join(command, " ")));
    const Finished finished = run_into("> /dev/full", command);
    EXPECT_EQ(finished.status, 1);
    EXPECT_THAT(finished.err, HasSubstr("cannot write to standard output"));
  }
}

struct WrongCommand {
  Words words;
  std::vector<std::string> said;
};

TEST(CommandLine, NamesAnUnknownCommandAndTheNearestOne) {
  const std::string& ctl = test::meridianctl;
  const std::vector<WrongCommand> wrong = {
      {{ctl, "dept"},
       {R"(there is no command "dept"; did you mean "depth"?)", "? The commands are depth, drain"}},
      {{ctl, "--json", "stat"}, {R"(no command "stat")", R"("stats")"}},
      {{ctl, "drian", "--all"}, {R"(no command "drian")", R"("drain")"}},
      {{ctl, "loglevel", "info"}, {R"(no command "loglevel")", R"("log-level")"}},
      {{ctl, "sink", "craete"}, {R"(no command "craete")", R"("create")"}},
      {{ctl, "Depth"}, {R"(no command "Depth")", R"("depth")"}},
      {{test::meridian_sim, "consum"}, {R"(no command "consum")", R"("consume")"}}};
  for (const WrongCommand& each : wrong) {
    const Finished finished = test::run(each.words);
    EXPECT_GE(finished.status, 100);
    EXPECT_EQ(finished.out, "");
    for (const std::string& said : each.said) {
      EXPECT_THAT(finished.err, HasSubstr(said));
    }
    EXPECT_EQ(lines_of(finished.err).size(), 1U) << finished.err;
  }
}

TEST(CommandLine, GuessesNothingWhereNothingIsNear) {
  for (const Words& words : {Words{"xyzzy"}, Words{}}) {
    Words command = {test::meridianctl};
    command.insert(command.end(), words.begin(), words.end());
    const Finished finished = test::run(command);
    EXPECT_GE(finished.status, 100);
    EXPECT_THAT(finished.err, AllOf(Not(HasSubstr("did you mean")), HasSubstr("depth, drain")));
  }
}

TEST(CommandLine, NamesAnOptionThatLacksItsArgument) {
  const Finished finished = test::run({test::meridianctl, "--socket"});
  EXPECT_GE(finished.status, 100);
  EXPECT_THAT(finished.err, AllOf(HasSubstr("--socket"), Not(HasSubstr("needs a command"))));
}

TEST(CommandLine, NamesAnExtraWordAfterACommand) {
  const Finished finished = test::run({test::meridianctl, "depth", "now"});
  EXPECT_GE(finished.status, 100);
  EXPECT_THAT(finished.err, HasSubstr("now"));
  EXPECT_THAT(test::run({test::meridiand, "start"}).err, HasSubstr("start"));
}

TEST(CommandLine, WrongHealthArgumentsLeaveHealthUnknown) {
  for (const Words& more : {Words{"--bogus"}, Words{"now"}}) {
    Words words = {test::meridianctl, "health"};
    words.insert(words.end(), more.begin(), more.end());
    EXPECT_EQ(test::run(words).status, 3);
  }
  EXPECT_EQ(test::run({test::meridianctl, "health", "--help"}).status, 0);
}

}  // namespace
}  // namespace meridian::test
