/// Frames in the native layout (`length_prefixed`).
#pragma once

#include "frame/run_builder.hpp"

#include <meridian/decoder.hpp>

namespace meridian::inline v2::frame {

/// Decodes the layout of meridian/frame.hpp. Copies only small batches.
class NativeDecoder final : public Decoder {
 public:
  /// Accepts payloads of up to `max_payload_bytes`, at most 2^32 - 21.
  explicit NativeDecoder(std::uint32_t max_payload_bytes) noexcept
      : max_payload_bytes_(max_payload_bytes) {}

  [[nodiscard]] Decoded decode(const SlabRange& stream, const ReadStamp& stamp) override;

  [[nodiscard]] std::size_t max_unit_bytes() const noexcept override {
    return frame_header_bytes + std::size_t{max_payload_bytes_};
  }
  void set_max_payload_bytes(std::uint32_t max_payload_bytes) noexcept override {
    max_payload_bytes_ = max_payload_bytes;
  }
  [[nodiscard]] SequenceWidth sequence_width() const noexcept override {
    return SequenceWidth::bits64;
  }

 private:
  std::uint32_t max_payload_bytes_;
  RunBuilder runs_{SequenceWidth::bits64};
};

}  // namespace meridian::inline v2::frame
