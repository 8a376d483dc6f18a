/// What must hold for any stream, shared by the decoders' fuzz targets.
#pragma once

#include <meridian/decoder.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace meridian::test {

struct Outcome {
  std::vector<std::byte> frames;  // the octets of all frames found
  std::uint64_t frame_count = 0;
  std::uint64_t idle_packets = 0;
  std::size_t consumed = 0;
  std::optional<Malformed> malformed;

  friend bool operator==(const Outcome&, const Outcome&) = default;
};

inline void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

/// Feeds a stream in reads of the given size, as a session does.
inline Outcome feed(Decoder& decoder, std::span<const std::byte> stream, std::size_t read_bytes) {
  Outcome outcome;
  const ReadStamp stamp{.session = 1, .received_at = {}, .width = decoder.sequence_width()};
  std::size_t shown = 0;
  while (shown < stream.size() && !outcome.malformed) {
    shown += std::min(read_bytes, stream.size() - shown);
    const std::size_t pending = shown - outcome.consumed;
    auto slab = std::make_shared_for_overwrite<std::byte[]>(pending);
    std::ranges::copy(stream.subspan(outcome.consumed, pending), slab.get());
    const std::span<const std::byte> octets(slab.get(), pending);
    Decoded decoded = decoder.decode({slab, pending, octets}, stamp);
    require(decoded.consumed <= pending);
    require(decoded.malformed || decoded.wanted > pending - decoded.consumed);
    outcome.consumed += decoded.consumed;
    outcome.idle_packets += decoded.idle_packets;
    outcome.malformed = decoded.malformed;
    if (decoded.batch) {
      const FrameBatch& batch = *decoded.batch;
      std::uint64_t walked = 0;
      for (const FrameView frame : batch) {
        require(frame.octets.size() >= frame_header_bytes);
        ++walked;
      }
      std::uint64_t in_runs = 0;
      std::uint64_t bytes_in_runs = 0;
      batch.for_each_run([&](const Run& run) {
        in_runs += run.frames;
        bytes_in_runs += run.bytes;
      });
      require(walked == batch.frames() && in_runs == walked && bytes_in_runs == batch.bytes());
      outcome.frame_count += walked;
      outcome.frames.insert(outcome.frames.end(), batch.octets().begin(), batch.octets().end());
    }
  }
  return outcome;
}

/// The first octet of the input chooses how the rest is split into reads: the result must not
/// depend on it.
template <typename AnyDecoder, typename... Args>
void check_decoder(std::span<const std::byte> input, Args... args) {
  if (input.empty()) {
    return;
  }
  const std::size_t read_bytes = 1 + std::to_integer<std::size_t>(input.front());
  const std::span<const std::byte> stream = input.subspan(1);
  AnyDecoder whole(args...);
  AnyDecoder split(args...);
  require(feed(whole, stream, stream.size()) == feed(split, stream, read_bytes));
}

}  // namespace meridian::test
