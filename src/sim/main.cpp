// meridian-sim: simulates uplinks, and reads their frames back from a stream.
#include "runtime/command_line.hpp"
#include "runtime/complain.hpp"
#include "runtime/host_port.hpp"
#include "runtime/process_limits.hpp"
#include "sim/consume_command.hpp"
#include "sim/options.hpp"
#include "sim/simulation.hpp"
#include "status/version.hpp"

#include <meridian/framing.hpp>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

namespace {

using namespace meridian;

std::size_t read_size(std::string_view text) {
  std::size_t value = 0;
  const char* const begin = std::to_address(text.begin());
  const char* const end = std::to_address(text.end());
  const auto parsed = std::from_chars(begin, end, value);
  constexpr std::size_t most = 16 * 1024 * 1024;
  if (parsed.ec != std::errc{} || parsed.ptr != end || value > most) {
    throw std::runtime_error(
        fmt::format("--payload-bytes: must be N or MIN:MAX, each from 0 to {}", most));
  }
  return value;
}

/// "N" or "MIN:MAX".
sim::Range read_range(const std::string& text) {
  const std::size_t colon = text.find(':');
  const sim::Range range{
      .least = read_size(std::string_view(text).substr(0, colon)),
      .most = read_size(std::string_view(text).substr(colon == std::string::npos ? 0 : colon + 1))};
  if (range.least > range.most) {
    throw std::runtime_error("--payload-bytes: MIN must not be above MAX");
  }
  return range;
}

/// "HOST:PORT", with an IPv6 address in brackets.
void read_target(const std::string& text, sim::Options& options) {
  const auto target = runtime::read_host_port(text);
  if (!target || target->port == 0) {
    throw std::runtime_error("--connect: must be HOST:PORT, with a port of 1 to 65535");
  }
  options.host = target->host;
  options.port = target->port;
}

Framing read_framing(const std::string& text) {
  for (const auto& [name, framing] : framing_names) {
    if (text == name) {
      return framing;
    }
  }
  throw std::runtime_error("--framing: must be length_prefixed or ccsds_space_packet");
}

/// Checks a number that may have a fraction.
double check_range(const char* option, double value, double least, double most) {
  const bool in_range = value >= least && value <= most;  // NaN is not in range
  if (!in_range) {
    throw std::runtime_error(
        fmt::format("{}: must be a number from {} to {}", option, least, most));
  }
  return value;
}

/// Throws if the framing does not allow these payloads.
void check_payload(const sim::Options& options) {
  const bool packets = options.framing == Framing::ccsds_space_packet;
  if (packets && (options.payload_bytes.least < 1 || options.payload_bytes.most > 65536)) {
    throw std::runtime_error("--payload-bytes: must be from 1 to 65536 for space packets");
  }
}

/// The command line, as the user gives it.
struct Given {
  std::string connect;
  std::string payload = "64";
  std::string framing = "length_prefixed";
  std::optional<std::string> replay;
  std::optional<std::size_t> uplinks;
  std::optional<std::uint64_t> frames;
  double rate = 0;
  std::optional<double> duration;
  std::uint64_t seed = 1;
  bool json = false;
};

void add_options(CLI::App& app, Given& given) {
  app.add_option("--connect", given.connect,
                 "Where the daemon listens (default 127.0.0.1:7400, or :7401 for "
                 "space packets)")
      ->option_text("HOST:PORT");
  app.add_option("--uplinks", given.uplinks,
                 "Simultaneous connections (default 48, or 1 for a replay)")
      ->option_text("N")
      ->check(CLI::Range(1, 1'000'000));
  app.add_option("--frames", given.frames,
                 "Frames per uplink (default 10000, or the whole file once for a replay)")
      ->option_text("N")
      ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{1'000'000'000'000}));
  app.add_option("--rate", given.rate,
                 "Frames per second of each uplink (default 0: as fast as the daemon accepts them)")
      ->option_text("FRAMES_PER_S");
  app.add_option("--payload-bytes", given.payload, "Bytes of payload in each frame (default 64)")
      ->option_text("N|MIN:MAX");
  app.add_option("--duration", given.duration, "Stop after this many seconds")->option_text("S");
  app.add_option("--replay", given.replay, "Send the space packets in this file")
      ->option_text("FILE");
  app.add_option("--framing", given.framing, "length_prefixed (default) or ccsds_space_packet")
      ->option_text("FRAMING");
  app.add_option("--seed", given.seed, "Seed of the payloads (default 1)")->option_text("N");
  app.add_flag("--json", given.json, "Print the result as JSON, for programs");
  app.set_version_flag("--version",
                       fmt::format("meridian-sim {} ({})", status::version, status::build));
}

/// Reads the options of a simulation. If one is invalid, throws std::runtime_error, which names the
/// option.
sim::Options read_options(const Given& given) {
  sim::Options options;
  options.framing = read_framing(given.framing);
  const bool packets = options.framing == Framing::ccsds_space_packet;
  if (given.replay && given.replay->empty()) {
    throw std::runtime_error("--replay: needs the name of a file");
  }
  if (given.replay && !packets) {
    throw std::runtime_error(
        "--replay: needs --framing ccsds_space_packet, since a file holds space packets");
  }
  options.replay = given.replay.value_or("");
  options.uplinks = given.uplinks.value_or(given.replay ? 1 : 48);
  options.payload_bytes = read_range(given.payload);
  check_payload(options);
  options.rate = check_range("--rate", given.rate, 0, 1e9);
  if (given.duration) {
    constexpr double year = 365.0 * 24 * 3600;
    options.duration =
        std::chrono::duration<double>(check_range("--duration", *given.duration, 0.001, year));
  }
  options.frames = given.frames;
  if (!options.frames && !given.duration && !given.replay) {
    options.frames = 10'000;
  }
  options.port = packets ? 7401 : 7400;
  if (!given.connect.empty()) {
    read_target(given.connect, options);
  }
  options.seed = given.seed;
  return options;
}

int run_simulation(const Given& given) {
  const sim::Options options = read_options(given);
  runtime::raise_open_files_limit();
  const sim::Result result = sim::simulate(options);
  for (const std::string& failure : sim::failures_of(result)) {
    runtime::complain("meridian-sim: failed: " + failure);
  }
  runtime::print(given.json ? sim::to_json(result) : sim::to_text(result));
  runtime::flush_output();
  return result.failures.empty() ? EXIT_SUCCESS : EXIT_FAILURE;
}

/// Throws if an option of a simulation is given together with a command.
void check_alone(const CLI::App& app, const CLI::App& command) {
  for (const CLI::Option* const option : app.get_options()) {
    if (option->count() > 0) {
      throw std::runtime_error(
          fmt::format("{}: is not an option of {}", option->get_name(), command.get_name()));
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Simulates uplinks: makes frames or replays a file of space packets, sends them to a "
      "meridiand, and measures how fast it accepts them.");
  Given given;
  sim::GivenConsume given_consume;
  add_options(app, given);
  const CLI::App& consume = sim::add_consume(app, given_consume);
  if (const auto status = runtime::read_command_line(app, argc, argv, "meridian-sim")) {
    return *status;
  }
  try {
    if (!consume.parsed()) {
      return run_simulation(given);
    }
    check_alone(app, consume);
    return sim::run_consume(given_consume);
  } catch (const std::exception& error) {
    runtime::complain(fmt::format("meridian-sim: {}", error.what()));
    return EXIT_FAILURE;
  }
}
