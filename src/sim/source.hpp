/// Where a simulated uplink gets its frames from.
#pragma once

#include "sim/options.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace meridian::sim {

/// Whole frames, back to back as they go onto the wire. Valid until the next call to the source.
struct Chunk {
  std::span<const std::byte> octets;
  std::uint64_t frames = 0;
};

/// A stream of frames, either endless or as long as a file. Not thread-safe.
class Source {
 public:
  virtual ~Source() = default;

  /// The next frames: at most `max_frames`, and about as many as one write should have. An empty
  /// chunk is the end of the stream.
  [[nodiscard]] virtual Chunk next(std::uint64_t max_frames) = 0;

 protected:
  Source() = default;
  Source(const Source&) = default;
  Source& operator=(const Source&) = default;
};

/// Reads a file of space packets. Throws std::runtime_error if it cannot be read, is empty, or does
/// not consist of whole packets.
[[nodiscard]] std::shared_ptr<const std::vector<std::byte>> load_packets(const std::string& file);

/// The source for uplink `index`, counted from 0. `replayed` has the packets of the file to replay,
/// or is nullptr. The replay begins again at the end of the file if `options` ask for a number of
/// frames or a time.
[[nodiscard]] std::unique_ptr<Source> make_source(
    const Options& options, std::size_t index,
    const std::shared_ptr<const std::vector<std::byte>>& replayed);

}  // namespace meridian::sim
