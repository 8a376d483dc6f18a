#include "ctl/top.hpp"

#include "ctl/output.hpp"
#include "ctl/terminal.hpp"
#include "ctl/top_lines.hpp"
#include "ctl/top_loop.hpp"
#include "ctl/top_screen.hpp"

namespace meridian::ctl {

namespace asio = boost::asio;

namespace {

/// A line for each interval, which has a poll before it to be compared with.
class TopInLines final : public TopLoop {
 public:
  TopInLines(const std::string& socket, const TopOptions& options) : TopLoop(socket, options) {}

 private:
  [[nodiscard]] asio::awaitable<void> show() override {
    Output output("");
    const Poll first = co_await poll();
    Figures figures = figures_of(first, nullptr);
    for (std::uint64_t intervals = 0; goes_on(intervals); ++intervals) {
      co_await next_interval();
      const Poll next = co_await poll();
      figures = figures_of(next, &figures);
      output.write(options().json ? json_line_of(figures) : text_line_of(figures));
      output.flush();
    }
    end(0);
  }
};

}  // namespace

int top(const std::string& socket, const TopOptions& options) {
  if (options.json || !is_on_terminal()) {
    return TopInLines(socket, options).run();
  }
  return TopOnScreen(socket, options).run();
}

}  // namespace meridian::ctl
