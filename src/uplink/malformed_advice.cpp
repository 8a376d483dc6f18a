#include "uplink/malformed_advice.hpp"

#include "frame/space_packet.hpp"

namespace meridian::uplink {

std::string_view advice_on(Malformed reason, std::span<const std::byte> there) noexcept {
  if (reason == Malformed::sync_marker || frame::space_packet::begins_with_sync_marker(there)) {
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
      return "if packets of this length are expected, raise max_payload_bytes of this listener; "
             "otherwise check that the peer sends bare space packets, with nothing in front of "
             "each";
    case Malformed::length_too_large:
      return "if payloads of this length are expected, raise max_payload_bytes of this listener; "
             "otherwise check that the listener's framing matches what the peer sends";
    case Malformed::length_too_small:
    case Malformed::reserved_flags:
      return "these are not native frames: check that the listener's framing matches what the peer "
             "sends";
  }
  return "a space packet cannot begin like this: check that the listener's framing matches what "
         "the peer sends, and that nothing precedes the packets";
}

std::string_view advice_on_implausible_packets() noexcept {
  return "check that the peer sends bare space packets, and not transfer frames or records with a "
         "header in front of each packet; or several sources may share this listener: give each of "
         "them its own";
}

}  // namespace meridian::uplink
