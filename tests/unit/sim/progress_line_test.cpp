#include "sim/progress_line.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <string>

#include <fcntl.h>
#include <unistd.h>

namespace meridian::test {

using namespace sim;

namespace {

using testing::HasSubstr;
using testing::Not;

/// A terminal in place of the standard error, as long as it lives.
class TerminalAsError {
 public:
  TerminalAsError() : master_(::posix_openpt(O_RDWR | O_NOCTTY)), before_(::dup(STDERR_FILENO)) {
    std::array<char, 64> name{};
    if (::grantpt(master_) == 0 && ::unlockpt(master_) == 0 &&
        ::ptsname_r(master_, name.data(), name.size()) == 0) {
      const int terminal = ::open(name.data(), O_RDWR | O_NOCTTY);
      ::dup2(terminal, STDERR_FILENO);
      ::close(terminal);
    }
  }
  TerminalAsError(const TerminalAsError&) = delete;
  TerminalAsError& operator=(const TerminalAsError&) = delete;
  ~TerminalAsError() {
    ::dup2(before_, STDERR_FILENO);
    ::close(before_);
    ::close(master_);
  }

  /// What was written to it; waits until there is something.
  [[nodiscard]] std::string written() const {
    std::array<char, 4096> octets{};
    const ssize_t count = ::read(master_, octets.data(), octets.size());
    return {octets.data(), count > 0 ? static_cast<std::size_t>(count) : 0};
  }

 private:
  int master_;
  int before_;
};

TEST(ProgressLine, ShowsServerTextWithoutItsEscapeSequences) {
  const TerminalAsError terminal;
  const ProgressLine line;
  ASSERT_TRUE(line.is_seen());
  line.draw("no leader\x1b]0;owned\x07\nfoo");
  const std::string written = terminal.written();
  EXPECT_THAT(written, HasSubstr(R"(no leader\x1b]0;owned\x07\nfoo)"));
  EXPECT_THAT(written, Not(HasSubstr("\x1b]")));
  EXPECT_THAT(written, HasSubstr("\x1b[K")) << "its own";
}

}  // namespace
}  // namespace meridian::test
