/// Reads requests from a client, one per line.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <atomic>
#include <cstddef>
#include <optional>
#include <string>

namespace meridian::control {

namespace asio = boost::asio;

/// Splits what a socket receives into lines. Holds at most one line of the maximum length, and what
/// was read together with the end of that line.
///
/// Not thread-safe: must be used on the strand of the socket. `socket` and `max_bytes` must outlive
/// it; `max_bytes` may change at any time.
class LineReader {
 public:
  LineReader(asio::local::stream_protocol::socket& socket,
             const std::atomic<std::size_t>& max_bytes)
      : socket_(socket), max_bytes_(max_bytes) {}

  /// Returns the next line without its line end, which the last line may lack. Returns nothing at
  /// the end of the stream, if the socket fails, or if a line is too long.
  [[nodiscard]] asio::awaitable<std::optional<std::string>> next();

  /// Whether `next` returned nothing because a line was too long.
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
