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
  /// Octets from the start that are done with. The caller shows the rest again, with more behind
  /// it.
  std::size_t consumed = 0;
  /// Octets, counted from `consumed`, that must be there before there can be progress.
  std::size_t wanted = 0;
  /// Idle packets skipped.
  std::uint64_t idle_packets = 0;
  /// Set if the stream is bad at `consumed`. What came before it is in `batch`.
  std::optional<Malformed> malformed;
};

/// A framing. Keeps no octets: the caller shows the unconsumed rest of the stream again with what
/// came after it, so any split of the stream into reads gives the same frames.
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

/// What a decoder must know of the stream.
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
