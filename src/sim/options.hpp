/// The options of a simulation.
#pragma once

#include <meridian/framing.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace meridian::sim {

struct Range {
  std::size_t least = 64;
  std::size_t most = 64;
};

struct Options {
  std::string host = "127.0.0.1";
  std::uint16_t port = 7400;
  std::size_t uplinks = 48;
  std::optional<std::uint64_t> frames;  ///< per uplink; no value: until source or duration ends
  double rate = 0;                      ///< frames/s per uplink; 0: as fast as the daemon reads
  Range payload_bytes;
  std::optional<std::chrono::duration<double>> duration;
  std::string replay;  ///< a file of space packets; "": make frames
  Framing framing = Framing::length_prefixed;
  std::uint64_t seed = 1;
};

}  // namespace meridian::sim
