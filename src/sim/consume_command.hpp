/// The command line of `meridian-sim consume`.
#pragma once

#include <CLI/CLI.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace meridian::sim {

/// The options of the command, as the user gives them.
struct GivenConsume {
  std::vector<std::string> servers;
  std::optional<std::string> credentials;
  std::optional<std::string> tls_ca;
  std::string stream;
  std::optional<std::string> durable;
  std::string subject;
  std::optional<std::uint64_t> expected_frames;
  double idle_timeout_s = 5;
  std::optional<std::string> output;
  bool append = false;
  bool force = false;
  bool json = false;
};

/// Adds the command. `given` gets its values when the command line is read, and must outlive `app`.
CLI::App& add_consume(CLI::App& app, GivenConsume& given);

/// Reads the stream, prints the result and returns the exit status. Throws std::runtime_error if an
/// option is invalid, or as `consume` does.
[[nodiscard]] int run_consume(const GivenConsume& given);

}  // namespace meridian::sim
