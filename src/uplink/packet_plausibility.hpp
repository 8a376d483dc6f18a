/// Judges whether what a space-packet listener reads can be space packets.
#pragma once

#include <meridian/frame_batch.hpp>

#include <cstdint>
#include <vector>

namespace meridian::uplink {

/// Nearly anything parses as space packets for a while, since their header has no checksum. What
/// gives other streams away is the sequence count. In a stream of packets, each count continues the
/// last one of its APID. In other streams the count is arbitrary: in transfer frames, in native
/// frames, or where a record header precedes each packet.
///
/// So this class judges the first packets whose APID it has seen before. The stream is plausible if
/// at least half of them continue the count of their APID. So packets may be lost or come twice.
/// `farthest` also allows for a sender that forwards only one packet in a hundred.
///
/// Bounds: remembers `most_apids` APIDs, and stops looking after `most_packets` packets. Not
/// thread-safe.
class PacketPlausibility {
 public:
  /// How many packets are judged.
  static constexpr std::uint32_t enough = 16;
  /// How many are enough if the stream ends early.
  static constexpr std::uint32_t enough_at_the_end = 4;
  /// A count that is this far ahead or farther does not continue the last one. Of arbitrary counts,
  /// one in sixteen is nearer.
  static constexpr std::uint64_t farthest = 1024;
  static constexpr std::size_t most_apids = 256;
  /// After this many packets the stream counts as plausible, even if too few could be judged.
  static constexpr std::uint32_t most_packets = 4096;

  enum class Verdict : std::uint8_t { open, plausible, implausible };

  /// Judges the next packets of a stream. Once there is a verdict, nothing changes it.
  Verdict judge(const FrameBatch& batch);

  /// The verdict once the stream has ended.
  [[nodiscard]] Verdict at_the_end() const noexcept { return verdict(enough_at_the_end); }

  [[nodiscard]] std::uint32_t judged() const noexcept { return judged_; }
  [[nodiscard]] std::uint32_t followed() const noexcept { return followed_; }

 private:
  struct Apid {
    ChannelId apid = 0;
    std::uint16_t next = 0;  // the sequence count that would continue the last one
  };

  void judge(const Run& run);
  void note(bool follows, std::uint32_t packets);
  [[nodiscard]] bool has_seen_enough() const noexcept {
    return judged_ == enough || seen_ >= most_packets;
  }
  [[nodiscard]] Verdict verdict(std::uint32_t least) const noexcept;

  std::vector<Apid> apids_;
  std::uint64_t seen_ = 0;      // all packets, judged or not
  std::uint32_t judged_ = 0;    // packets
  std::uint32_t followed_ = 0;  // judged packets that continue the count of their APID
};

}  // namespace meridian::uplink
