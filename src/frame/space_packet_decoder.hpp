/// Bare CCSDS space packets back to back (`ccsds_space_packet`).
#pragma once

#include "frame/run_builder.hpp"

#include <meridian/decoder.hpp>

#include <vector>

namespace meridian::inline v2::frame {

/// Makes a native frame of each packet. The satellite is that of the options, the channel is the
/// APID, the sequence is the 14-bit count, and the payload is the whole packet. Idle packets are
/// counted and skipped. A stream that begins with an attached sync marker is malformed: it consists
/// of transfer frames, which would parse as packets with made-up APIDs.
class SpacePacketDecoder final : public Decoder {
 public:
  /// Accepts packets of up to `max_packet_bytes`, header included.
  SpacePacketDecoder(SatelliteId satellite_id, std::size_t max_packet_bytes) noexcept
      : max_packet_bytes_(max_packet_bytes), satellite_id_(satellite_id) {}

  [[nodiscard]] Decoded decode(const SlabRange& stream, const ReadStamp& stamp) override;

  [[nodiscard]] std::size_t max_unit_bytes() const noexcept override { return max_packet_bytes_; }
  void set_max_payload_bytes(std::uint32_t max_packet_bytes) noexcept override {
    max_packet_bytes_ = max_packet_bytes;
  }
  [[nodiscard]] SequenceWidth sequence_width() const noexcept override {
    return SequenceWidth::bits14;
  }

 private:
  std::size_t max_packet_bytes_;
  SatelliteId satellite_id_;
  bool at_start_ = true;  // of the stream
  RunBuilder runs_{SequenceWidth::bits14};
};

}  // namespace meridian::inline v2::frame
