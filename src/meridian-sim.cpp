// meridian-sim: simulated uplinks.
#include "sim/options.hpp"
#include "sim/simulation.hpp"
#include "status/version.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <map>
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
        fmt::format("--payload-bytes: must be N or MIN:MAX, of 0 to {}", most));
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
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == text.size()) {
    throw std::runtime_error("--connect: must be HOST:PORT");
  }
  options.host = text.substr(0, colon);
  options.port = text.substr(colon + 1);
  if (options.host.size() > 2 && options.host.front() == '[' && options.host.back() == ']') {
    options.host = options.host.substr(1, options.host.size() - 2);
  }
}

}  // namespace

int main(int argc, char** argv) {
  static const std::map<std::string, sim::Framing> framings = {
      {"length_prefixed", sim::Framing::length_prefixed},
      {"ccsds_space_packet", sim::Framing::ccsds_space_packet}};
  CLI::App app(
      "Simulated uplinks: makes frames or replays a file of space packets, sends them to a "
      "meridiand and measures.");
  sim::Options options;
  std::string connect;
  std::string payload = "64";
  std::optional<std::size_t> uplinks;
  std::optional<double> duration;
  bool json = false;
  app.add_option("--connect", connect,
                 "Where the daemon listens (default 127.0.0.1:7400, or :7401 for "
                 "space packets)")
      ->option_text("HOST:PORT");
  app.add_option("--uplinks", uplinks, "Simultaneous connections (default 48, or 1 for a replay)")
      ->option_text("N")
      ->check(CLI::Range(1, 1'000'000));
  app.add_option("--frames", options.frames,
                 "Frames per uplink (default 10000, or the whole file once for a replay)")
      ->option_text("N")
      ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{1'000'000'000'000}));
  app.add_option("--rate", options.rate,
                 "Frames per second and uplink; 0, the default: as fast as they are taken")
      ->option_text("FRAMES_PER_S")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--payload-bytes", payload, "Octets of payload (default 64)")
      ->option_text("N|MIN:MAX");
  app.add_option("--duration", duration, "Stop after so many seconds")
      ->option_text("S")
      ->check(CLI::PositiveNumber);
  app.add_option("--replay", options.replay, "Send the packets of this file")->option_text("FILE");
  app.add_option("--framing", options.framing, "length_prefixed (default) or ccsds_space_packet")
      ->option_text("FRAMING")
      ->transform(CLI::CheckedTransformer(framings));
  app.add_option("--seed", options.seed, "Seed of the payloads (default 1)")->option_text("N");
  app.add_flag("--json", json, "The result for programs");
  app.set_version_flag("--version",
                       fmt::format("meridian-sim {} ({})", status::version, status::build));
  CLI11_PARSE(app, argc, argv);

  try {
    const bool replays = !options.replay.empty();
    if (replays && options.framing != sim::Framing::ccsds_space_packet) {
      throw std::runtime_error(
          "--replay: needs --framing ccsds_space_packet, the only framing of files");
    }
    options.uplinks = uplinks.value_or(replays ? 1 : 48);
    options.payload_bytes = read_range(payload);
    if (duration) {
      options.duration = std::chrono::duration<double>(*duration);
    }
    if (!options.frames && !duration && !replays) {
      options.frames = 10'000;
    }
    if (options.framing == sim::Framing::ccsds_space_packet) {
      options.port = "7401";
    }
    if (!connect.empty()) {
      read_target(connect, options);
    }
    const sim::Result result = sim::simulate(options);
    fmt::print("{}", json ? sim::to_json(result) : sim::to_text(result));
    return result.failures.empty() ? EXIT_SUCCESS : EXIT_FAILURE;
  } catch (const std::exception& error) {
    fmt::print(stderr, "meridian-sim: {}\n", error.what());
    return EXIT_FAILURE;
  }
}
