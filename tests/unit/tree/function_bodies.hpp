/// The functions of a source file, and how long they are.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace meridian::test {

struct FunctionBody {
  std::string beginning;  ///< the first line of the function, without its indentation
  std::size_t lines =
      0;  ///< behind the line of the opening brace, including that of the closing one
};

/// Finds the bodies of functions by their indentation, as clang-format leaves it: at namespace
/// level, and members two columns inside of their class. A lambda belongs to the function around
/// it; one at namespace level is an initialiser, and not looked for.
[[nodiscard]] std::vector<FunctionBody> function_bodies(std::span<const std::string> lines);

}  // namespace meridian::test
