/// From the octets of an uplink to batches of frames, without I/O.
#pragma once

#include "frame/malformed.hpp"

#include <meridian/frame_batch.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace meridian::inline v1 {

/// What one look at the stream gave.
struct Decoded {
  /// The whole frames found, if any.
  std::optional<FrameBatch> batch;
  /// Octets from the start that are done with. The rest is shown again, with more behind it.
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

  /// From the next frame on.
  virtual void set_max_payload_bytes(std::uint32_t max_payload_bytes) noexcept = 0;

  [[nodiscard]] virtual SequenceWidth sequence_width() const noexcept = 0;

 protected:
  Decoder() = default;
  Decoder(const Decoder&) = default;
  Decoder& operator=(const Decoder&) = default;
};

/// A batch of fewer octets is not worth a reference to a slab that others share.
inline constexpr std::size_t least_adopted_bytes = 4 * 1024;

/// A batch over frames in the native layout at the start of `stream`: where they are, or copied
/// into an exact allocation if they are few and fill less than half of the slab.
[[nodiscard]] FrameBatch adopt_or_copy(const SlabRange& stream, std::size_t bytes,
                                       FrameSummary summary, const ReadStamp& stamp);

}  // namespace meridian::inline v1
