#include "uplink/malformed_advice.hpp"

#include "frame/space_packet.hpp"

namespace meridian::uplink {

std::string_view advice_on(Malformed reason, std::span<const std::byte> there) noexcept {
  if (reason == Malformed::sync_marker || space_packet::begins_with_sync_marker(there)) {
    return "it begins with the attached sync marker 1ACFFC1D, so these are transfer frames "
           "(CADUs): "
           "configure the sender, or a frame processor in front of this listener, to extract the "
           "space packets and send them bare to a listener whose framing is \"ccsds_space_packet\"";
  }
  switch (reason) {
    case Malformed::packet_version:
    case Malformed::sync_marker:
      break;
    case Malformed::packet_too_large:
      return "if the peer's packets are so long raise max_payload_bytes of this listener; "
             "otherwise "
             "see that bare space packets come, with nothing in front of each";
    case Malformed::length_too_large:
      return "if the peer's payloads are so long raise max_payload_bytes of this listener; "
             "otherwise see that framing is what the peer sends";
    case Malformed::length_too_small:
    case Malformed::reserved_flags:
      return "these are no native frames: see that framing is what the peer sends";
  }
  return "no space packet begins like this: see that framing is what the peer sends, and that "
         "nothing stands in front of each packet";
}

std::string_view advice_on_implausible_packets() noexcept {
  return "see that framing is what the peer sends: bare space packets, neither transfer frames nor "
         "records with a header in front of each packet";
}

}  // namespace meridian::uplink
