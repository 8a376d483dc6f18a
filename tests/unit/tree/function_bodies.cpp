#include "unit/tree/function_bodies.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

namespace meridian::test {
namespace {

/// How far the members of a class are from it.
constexpr std::size_t member_indentation = 2;

std::size_t indentation_of(std::string_view line) {
  return std::min(line.find_first_not_of(' '), line.size());
}

/// Without a comment at the end of the line.
std::string_view code_of(std::string_view line) {
  return line.substr(0, line.find("  //"));
}

/// Whether the class that begins here has a body on lines of its own.
bool opens_class(std::span<const std::string> lines) {
  for (const std::string& line : lines) {
    const std::string_view code = code_of(line);
    if (code.ends_with('{')) {
      return true;
    }
    if (code.ends_with(';') || code.ends_with('}')) {
      return false;
    }
  }
  return false;
}

/// The function whose closing brace is the last of these lines. Nothing if these are the end of
/// something else, such as a namespace.
std::optional<FunctionBody> body_at_end_of(std::span<const std::string> lines) {
  const std::size_t end = lines.size() - 1;
  const std::size_t indentation = indentation_of(lines[end]);
  const auto is_beginning = [indentation](const std::string& line) {
    return !line.empty() && !line.starts_with('#') && indentation_of(line) == indentation;
  };
  std::size_t begin = end;
  do {
    if (begin == 0) {
      return std::nullopt;
    }
    --begin;
  } while (!is_beginning(lines[begin]));
  std::size_t opening = begin;
  while (opening < end && !code_of(lines[opening]).ends_with('{')) {
    ++opening;
  }
  if (opening == end) {
    return std::nullopt;
  }
  return FunctionBody{.beginning = lines[begin].substr(indentation), .lines = end - opening};
}

}  // namespace

std::vector<FunctionBody> function_bodies(std::span<const std::string> lines) {
  std::vector<FunctionBody> found;
  std::vector<std::size_t> classes;  // the indentation of each that is open
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::size_t indentation = indentation_of(lines[i]);
    const std::string_view text = std::string_view(lines[i]).substr(indentation);
    if (text.starts_with("class ") || text.starts_with("struct ") || text.starts_with("union ")) {
      if (opens_class(lines.subspan(i))) {
        classes.push_back(indentation);
      }
      continue;
    }
    if (!classes.empty() && indentation == classes.back() && text.starts_with('}')) {
      classes.pop_back();
    }
    const std::size_t level = classes.empty() ? 0 : classes.back() + member_indentation;
    if (text == "}" && indentation == level) {
      if (std::optional<FunctionBody> body = body_at_end_of(lines.first(i + 1))) {
        found.push_back(*std::move(body));
      }
    }
  }
  return found;
}

}  // namespace meridian::test
