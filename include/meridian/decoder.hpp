/// From the octets of an uplink to batches of frames, without I/O.
///
///     const auto decoder = meridian::make_decoder({});  // native frames
///     meridian::Decoded found = decoder->decode(what_was_read, {.session = 1});
///
/// Stable: see <meridian/version.hpp>.
#pragma once

#include <meridian/frame_batch.hpp>
#include <meridian/framing.hpp>
#include <meridian/malformed.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace meridian::inline v2 {

/// The result of one look at the stream.
struct Decoded {
  /// The whole frames found, if any.
  std::optional<FrameBatch> batch;
  /// How many octets at the start are done with. The caller shows the rest again, followed by what
  /// it reads next.
  std::size_t consumed = 0;
  /// How many octets, counted from `consumed`, the decoder needs before it can go on.
  std::size_t wanted = 0;
  /// How many idle packets were skipped.
  std::uint64_t idle_packets = 0;
  /// Set if the stream is bad at `consumed`. What came before it is in `batch`.
  std::optional<Malformed> malformed;
};

/// Finds the frames of one stream, by its framing. Keeps no octets: the caller shows the unconsumed
/// rest again, followed by what it has read since. So any split of the stream into reads gives the
/// same frames.
///
/// Not thread-safe. Errors: `Decoded::malformed`; never throws on bad input.
class Decoder {
 public:
  virtual ~Decoder() = default;

  /// Decodes all whole frames at the start of `stream`.
  [[nodiscard]] virtual Decoded decode(const SlabRange& stream, const ReadStamp& stamp) = 0;

  /// Octets of the largest frame on the wire that this decoder accepts: it never wants more.
  [[nodiscard]] virtual std::size_t max_unit_bytes() const noexcept = 0;

  /// Takes effect with the next frame. REQUIRES: within the bounds of `DecoderOptions`.
  virtual void set_max_payload_bytes(std::uint32_t max_payload_bytes) noexcept = 0;

  [[nodiscard]] virtual SequenceWidth sequence_width() const noexcept = 0;

 protected:
  Decoder() = default;
  Decoder(const Decoder&) = default;
  Decoder& operator=(const Decoder&) = default;
};

/// What a decoder must know about the stream.
struct DecoderOptions {
  Framing framing = Framing::length_prefixed;
  SatelliteId satellite_id = 0;  ///< of all frames, if the framing does not carry it
  /// Octets, of a native frame's payload or of a whole space packet: at most 2^32 - 21.
  std::uint32_t max_payload_bytes = 65536;
};

/// A decoder at the start of a stream. Throws std::invalid_argument if `max_payload_bytes` is above
/// its bound.
[[nodiscard]] std::unique_ptr<Decoder> make_decoder(const DecoderOptions& options);

}  // namespace meridian::inline v2
