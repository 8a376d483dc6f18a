/// What can be configured about the HTTP server.
#pragma once

#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace meridian::http {

/// Places beyond `max_clients`, for probes and scrapes only: a daemon must be able to say that it
/// is healthy, however many other clients there are.
inline constexpr std::size_t reserved_places = 8;

/// A client in a reserved place may send a single request, for a probe or a scrape, and must send
/// it soon.
enum class Place : std::uint8_t { ordinary, reserved };

struct ServerOptions {
  std::optional<boost::asio::ip::tcp::endpoint> listen;  ///< nothing: there is no server
  /// Names by which clients know the server, besides its addresses and "localhost". A request for
  /// any other name is refused.
  std::vector<std::string> names{};
  std::size_t max_clients = 64;
  /// How long a request may take to arrive, the next one to begin, and a piece of an answer to be
  /// read.
  std::chrono::seconds timeout{10};
  /// How many streams of events there may be at a time, and how long each lasts. A browser then
  /// opens another one.
  std::size_t max_event_streams = 32;
  std::chrono::seconds event_stream{3600};
  /// How many satellite channels have series of their own in /metrics; the others are summed.
  std::size_t max_satellites = 1000;

  friend bool operator==(const ServerOptions&, const ServerOptions&) = default;
};

}  // namespace meridian::http
