/// Judges whether what a space-packet listener reads can be space packets.
#pragma once

#include <meridian/frame_batch.hpp>

#include <cstdint>
#include <vector>

namespace meridian::uplink {

/// Nearly anything parses as space packets for a while, since their header has no checksum. The
/// sequence count gives other streams away (transfer frames, native frames, a record header in
/// front of each packet): in a stream of packets it continues the last count of its APID, elsewhere
/// it is arbitrary. So this judges the first packets whose APID has been seen before. The stream is
/// plausible if at least half of them continue the count. That leaves room for packets that are
/// lost, come twice, or of which only one in a hundred is forwarded.
///
/// Bounds: remembers `most_apids` APIDs, and stops looking after `most_packets` packets. Not
/// thread-safe.
class PacketPlausibility {
 public:
  /// How many packets are judged.
  static constexpr std::uint32_t enough = 16;
  /// How many are enough if the stream ends before that.
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
  std::uint64_t seen_ = 0;  // packets
  std::uint32_t judged_ = 0;
  std::uint32_t followed_ = 0;
};

}  // namespace meridian::uplink
