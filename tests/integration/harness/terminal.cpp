#include "integration/harness/terminal.hpp"

#include "integration/harness/child_process.hpp"

#include <stdexcept>

namespace meridian::test {

namespace {

constexpr const char* prompt = "ready>";

}  // namespace

Terminal::Terminal(const TempDir& directory, Size size) : socket_(directory.file("tmux")) {
  tmux({"new-session", "-d", "-x", std::to_string(size.width), "-y", std::to_string(size.height),
        std::string("env PS1='") + prompt + " ' sh"});
  if (!eventually([this] { return shows(prompt); })) {
    tmux({"kill-server"});
    throw std::runtime_error("no shell in a terminal of tmux");
  }
}

Terminal::~Terminal() {
  tmux({"kill-server"});
}

void Terminal::type(const std::string& command) const {
  tmux({"send-keys", "-l", command});
  press("Enter");
}

void Terminal::press(const std::string& key) const {
  tmux({"send-keys", key});
}

void Terminal::resize(Size size) const {
  tmux({"resize-window", "-x", std::to_string(size.width), "-y", std::to_string(size.height)});
}

std::string Terminal::screen() const {
  return tmux({"capture-pane", "-p"});
}

bool Terminal::shows(std::string_view text) const {
  return screen().find(text) != std::string::npos;
}

bool Terminal::is_taken() const {
  return tmux({"display-message", "-p", "#{alternate_on}"}) == "1\n";
}

bool Terminal::has_cursor() const {
  return tmux({"display-message", "-p", "#{cursor_flag}"}) == "1\n";
}

std::string Terminal::tmux(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), {"tmux", "-S", socket_, "-f", "/dev/null"});
  return run(arguments, {"TERM=xterm-256color", "LC_ALL=C.UTF-8"}).out;
}

}  // namespace meridian::test
