/// How the programs read their command lines and print what they were asked for.
#pragma once

#include "runtime/complain.hpp"
#include "runtime/json_scan.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace meridian::runtime {

/// Writes to the standard output. Throws std::runtime_error if that fails; see `flush_output`.
inline void print(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) {
    throw std::runtime_error(
        fmt::format("cannot write to standard output: {}", std::strerror(errno)));
  }
}

/// Writes what was printed and is still buffered. Throws std::runtime_error if that fails.
inline void flush_output() {
  std::cout.flush();
  if (std::fflush(stdout) != 0 || !std::cout) {
    throw std::runtime_error(
        fmt::format("cannot write to standard output: {}", std::strerror(errno)));
  }
}

/// The number of steps that turn one word into the other. A step inserts, removes or replaces a
/// letter, or swaps two neighbours.
inline std::size_t distance_between(std::string_view a, std::string_view b) {
  // Rows of the table of distances between prefixes of the two words: the last but one, and the
  // last.
  std::vector<std::size_t> older;
  std::vector<std::size_t> above(b.size() + 1);
  std::iota(above.begin(), above.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::vector<std::size_t> row{i};
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t exchanged = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row.push_back(std::min({row[j - 1] + 1, above[j] + 1, exchanged}));
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], older[j - 2] + 1);
      }
    }
    older = std::move(above);
    above = std::move(row);
  }
  return above.back();
}

/// The name that `word` may have been meant for; nothing if none is similar.
inline std::optional<std::string> nearest(std::string_view word,
                                          const std::vector<std::string>& names) {
  std::optional<std::string> found;
  // At most one letter in three may be wrong, or one letter of a short word.
  std::size_t least = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const std::string& name : names) {
    // An incomplete name counts as one wrong letter.
    const std::size_t distance = name.starts_with(word) ? 1 : distance_between(word, name);
    if (distance < least) {
      least = distance;
      found = name;
    }
  }
  return found;
}

/// What is wrong with a command line that lacks a command, or has an unknown word in its place.
/// Nothing if something else is wrong.
inline std::optional<std::string> about_command(const CLI::App& app) {
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty()) {
    at = at->get_subcommands().front();
  }
  std::vector<std::string> names;
  for (const CLI::App* const command : at->get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  std::ranges::sort(names);
  const std::vector<std::string> words = app.remaining(/*recurse=*/true);
  const auto word =
      std::ranges::find_if(words, [](const std::string& each) { return !each.starts_with('-'); });
  if (names.empty() || (word == words.end() && at->get_require_subcommand_min() == 0)) {
    return std::nullopt;
  }
  const std::string known = fmt::format("{}", fmt::join(names, ", "));
  if (word == words.end()) {
    return words.empty() ? std::optional("needs a command; the commands are " + known)
                         : std::nullopt;
  }
  const std::string none = fmt::format("there is no command \"{}\"", shown_key(*word));
  const auto meant = nearest(*word, names);
  return meant ? fmt::format("{}; did you mean \"{}\"? The commands are {}", none, *meant, known)
               : fmt::format("{}; the commands are {}", none, known);
}

/// Whether an error can be about a missing or unknown command. All other errors are about an
/// option, and their own text says what is wrong: its argument is missing, or not allowed.
inline bool can_be_about_command(const CLI::ParseError& error) {
  return error.get_exit_code() == static_cast<int>(CLI::ExitCodes::RequiredError) ||
         error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError);
}

/// Reads the command line. Returns nothing if the program is to go on. Otherwise prints what was
/// asked for, or what is wrong, and returns the exit status.
inline std::optional<int> read_command_line(CLI::App& app, int argc, char** argv,
                                            std::string_view program) {
  try {
    app.parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0) {
      const auto text = can_be_about_command(error) ? about_command(app) : std::nullopt;
      if (text) {
        complain(fmt::format("{}: {}", program, *text));
        return error.get_exit_code();
      }
      return app.exit(error);
    }
    try {
      app.exit(error);  // --help or --version
      flush_output();
      return EXIT_SUCCESS;
    } catch (const std::exception& failed) {
      complain(fmt::format("{}: {}", program, failed.what()));
      return EXIT_FAILURE;
    }
  }
}

}  // namespace meridian::runtime
