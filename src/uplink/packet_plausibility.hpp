/// Whether what a listener for space packets reads can be space packets.
#pragma once

#include <meridian/frame_batch.hpp>

#include <cstdint>
#include <vector>

namespace meridian::uplink {

/// Nearly anything parses as space packets for a while: the header has no check of its own. What
/// gives other streams away (transfer frames, native frames, a record header in front of each
/// packet) is the sequence count, which follows the last one of its APID in a stream of packets and
/// is anything elsewhere. So this looks at the first packets whose APID has come before: it is
/// plausible if at least half of them follow. That leaves room for packets that are lost, that come
/// twice, or of which only every hundredth is passed on.
///
/// Bounds: remembers `most_apids`, looks at `most_packets`. Not thread-safe.
class PacketPlausibility {
 public:
  /// So many packets are judged.
  static constexpr std::uint32_t enough = 16;
  /// Where a stream ends before that, so many suffice.
  static constexpr std::uint32_t enough_at_the_end = 4;
  /// One that is farther ahead does not follow: of arbitrary counts one in sixteen is within.
  static constexpr std::uint64_t farthest = 1024;
  static constexpr std::size_t most_apids = 256;
  /// After so many packets that cannot be judged nobody looks any longer.
  static constexpr std::uint32_t most_packets = 4096;

  enum class Verdict : std::uint8_t { open, plausible, implausible };

  /// The next packets of a stream. Once there is a verdict nothing changes it.
  Verdict judge(const FrameBatch& batch);

  /// The stream has ended.
  [[nodiscard]] Verdict at_the_end() const noexcept { return verdict(enough_at_the_end); }

  [[nodiscard]] std::uint32_t judged() const noexcept { return judged_; }
  [[nodiscard]] std::uint32_t followed() const noexcept { return followed_; }

 private:
  struct Apid {
    ChannelId apid = 0;
    std::uint16_t next = 0;  // the sequence count that would be in order
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
