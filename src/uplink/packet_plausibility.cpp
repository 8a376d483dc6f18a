#include "uplink/packet_plausibility.hpp"

#include <algorithm>

namespace meridian::uplink {

namespace {

constexpr std::uint64_t count_mask = largest_sequence(SequenceWidth::bits14);

}  // namespace

PacketPlausibility::Verdict PacketPlausibility::judge(const FrameBatch& batch) {
  batch.for_each_run([this](const Run& run) { judge(run); });
  return verdict(enough);
}

void PacketPlausibility::judge(const Run& run) {
  if (has_seen_enough()) {
    return;
  }
  seen_ += run.frames;
  const auto known = std::ranges::find(apids_, run.origin.channel_id, &Apid::apid);
  const auto next = static_cast<std::uint16_t>((run.first + run.frames) & count_mask);
  if (known != apids_.end()) {
    note(((run.first - known->next) & count_mask) < farthest, 1);
    known->next = next;
  } else if (apids_.size() < most_apids) {
    apids_.push_back({run.origin.channel_id, next});
  }
  note(true, run.frames - 1);
}

void PacketPlausibility::note(bool follows, std::uint32_t packets) {
  const std::uint32_t more = std::min(packets, enough - judged_);
  judged_ += more;
  followed_ += follows ? more : 0;
}

PacketPlausibility::Verdict PacketPlausibility::verdict(std::uint32_t least) const noexcept {
  if (judged_ < least) {
    return has_seen_enough() ? Verdict::plausible : Verdict::open;
  }
  return followed_ * 2 >= judged_ ? Verdict::plausible : Verdict::implausible;
}

}  // namespace meridian::uplink
