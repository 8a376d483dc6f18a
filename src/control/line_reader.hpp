/// Requests as they come from a client, a line each.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <atomic>
#include <cstddef>
#include <optional>
#include <string>

namespace meridian::control {

namespace asio = boost::asio;

/// Cuts what a socket receives into lines. Never holds more than one line of the greatest length,
/// and what was read with its end.
///
/// Not thread-safe: on the strand of the socket. Socket and `max_bytes` must outlive it; the latter
/// may change at any time.
class LineReader {
 public:
  LineReader(asio::local::stream_protocol::socket& socket,
             const std::atomic<std::size_t>& max_bytes)
      : socket_(socket), max_bytes_(max_bytes) {}

  /// The next line, without its end, which the last one may lack. Nothing at the end of the stream,
  /// where the socket fails, and where a line is too long.
  [[nodiscard]] asio::awaitable<std::optional<std::string>> next();

  /// Whether that was why there was nothing.
  [[nodiscard]] bool line_too_long() const noexcept { return line_too_long_; }

 private:
  [[nodiscard]] std::optional<std::string> take_line();

  asio::local::stream_protocol::socket& socket_;
  const std::atomic<std::size_t>& max_bytes_;
  std::string received_;      // what was read and not yet returned
  std::size_t searched_ = 0;  // octets of received_ that have no line end
  bool end_of_stream_ = false;
  bool line_too_long_ = false;
};

}  // namespace meridian::control
