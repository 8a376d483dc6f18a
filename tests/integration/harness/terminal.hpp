/// A terminal in which a shell runs.
#pragma once

#include "integration/harness/temp_dir.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace meridian::test {

/// Has a tmux server of its own, which the destructor ends.
class Terminal {
 public:
  struct Size {
    std::size_t width = 80;
    std::size_t height = 24;
  };

  /// Starts a shell, and waits until it is ready. Throws std::runtime_error if that takes too long.
  Terminal(const TempDir& directory, Size size);
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal();

  /// Types a line of text, and Enter.
  void type(const std::string& command) const;
  /// Presses a key, which has tmux's name, such as "Down" or "C-c".
  void press(const std::string& key) const;
  void resize(Size size) const;

  /// A line for each row of the screen, without blanks at the end.
  [[nodiscard]] std::string screen() const;
  [[nodiscard]] bool shows(std::string_view text) const;
  /// Whether a program uses the alternate screen, which hides the output before it.
  [[nodiscard]] bool is_taken() const;
  [[nodiscard]] bool has_cursor() const;

 private:
  std::string tmux(std::vector<std::string> arguments) const;

  std::string socket_;
};

}  // namespace meridian::test
