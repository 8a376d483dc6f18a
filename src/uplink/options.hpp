/// The options of a listener.
#pragma once

#include <meridian/frame.hpp>
#include <meridian/framing.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace meridian::uplink {

/// What a session does with a batch that finds the channel full.
enum class WhenChannelFull : std::uint8_t {
  backpressure,  ///< stops reading until there is room, so that the peer's own sends block
  drop,          ///< drops the batch, and counts it
};

struct ListenerOptions {
  std::string name;
  std::string host;  ///< a numeric address
  std::uint16_t port = 0;
  Framing framing = Framing::length_prefixed;
  SatelliteId satellite_id = 0;  ///< of all frames, if the framing does not carry one
  std::size_t max_sessions = 1024;
  std::uint32_t max_payload_bytes = 65536;
  std::chrono::seconds idle_timeout{0};   ///< 0: no timeout
  std::chrono::seconds peer_timeout{60};  ///< how long a peer's machine may not answer; 0: 2 hours
  WhenChannelFull when_channel_full = WhenChannelFull::backpressure;
};

}  // namespace meridian::uplink
