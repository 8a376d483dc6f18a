#include "top/top.hpp"

#include "runtime/output.hpp"
#include "top/lines.hpp"
#include "top/loop.hpp"
#include "top/run_on_screen.hpp"
#include "top/terminal.hpp"

namespace meridian::top {

namespace asio = boost::asio;

namespace {

/// Writes a line for each interval, with rates since the poll before.
class InLines final : public Loop {
 public:
  InLines(const std::string& socket, const Options& options) : Loop(socket, options) {}

 private:
  [[nodiscard]] asio::awaitable<void> show() override {
    runtime::Output output("", runtime::WhenThere::refuse);
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

int run(const std::string& socket, const Options& options) {
  if (options.json || !is_on_terminal()) {
    return InLines(socket, options).run();
  }
  return run_on_screen(socket, options);
}

}  // namespace meridian::top
