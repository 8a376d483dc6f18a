#include "runtime/output.hpp"

#include "integration/harness/temp_dir.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <string>

namespace meridian::test {

using namespace runtime;

namespace {

using testing::ExitedWithCode;
using testing::KilledBySignal;

TEST(Output, ReplacesAFileOnlyOnceSomethingIsWritten) {
  const TempDir directory;
  const std::string file = directory.write("frames", "the only copy");
  {
    Output output(file, WhenThere::replace);
    output.flush();
    output.take_back();
    EXPECT_EQ(read_file(file), "the only copy");
  }
  EXPECT_EQ(read_file(file), "the only copy");
  Output output(file, WhenThere::replace);
  output.write("new");
  output.flush();
  EXPECT_EQ(read_file(file), "new");
  output.keep();
  output.write(" and more");
  output.flush();
  EXPECT_EQ(read_file(file), "new and more");
  output.take_back();
  EXPECT_EQ(read_file(file), "new");
}

/// Ends as a drain does that is interrupted while it writes its second portion.
void be_interrupted(const std::string& file, int signal) {
  Output output(file, WhenThere::append);
  output.take_back_on_signals();
  output.write(" and committed");
  output.flush();
  output.keep();
  output.write(" and torn");
  output.flush();
  std::raise(signal);
}

TEST(OutputDeathTest, SignalsTruncateTheFileAndEndTheProcess) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    const TempDir directory;
    const std::string file = directory.write("frames", "before");
    EXPECT_EXIT(
        {
          std::signal(signal, SIG_DFL);  // as it is unless somebody runs this in the background
          be_interrupted(file, signal);
        },
        KilledBySignal(signal), "");
    EXPECT_EQ(read_file(file), "before and committed") << signal;
  }
}

TEST(OutputDeathTest, ASignalThatIsIgnoredStaysSo) {
  const TempDir directory;
  const std::string file = directory.write("frames", "before");
  EXPECT_EXIT(
      {
        std::signal(SIGHUP, SIG_IGN);
        be_interrupted(file, SIGHUP);
        std::_Exit(0);
      },
      ExitedWithCode(0), "");
  EXPECT_EQ(read_file(file), "before and committed and torn");
}

TEST(OutputDeathTest, WithoutALeaseNothingIsCut) {
  const TempDir directory;
  const std::string file = directory.write("frames", "");
  EXPECT_EXIT(
      {
        {
          Output output(file, WhenThere::append);
          output.take_back_on_signals();
        }
        Output output(file, WhenThere::append);
        output.write("the only copy");
        output.flush();
        std::raise(SIGTERM);
      },
      KilledBySignal(SIGTERM), "");
  EXPECT_EQ(read_file(file), "the only copy");
}

}  // namespace
}  // namespace meridian::test
