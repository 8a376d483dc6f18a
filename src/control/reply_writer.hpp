/// Writes answers to a client, as long as the client reads them.
#pragma once

#include <meridian/errors.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace meridian::control {

namespace asio = boost::asio;

/// Not thread-safe: everything runs on the strand of the socket, which must outlive this. One write
/// at a time.
class ReplyWriter : public std::enable_shared_from_this<ReplyWriter> {
 public:
  /// How long a client may read nothing while there is something to read.
  static constexpr std::chrono::seconds usual_patience{10};

  /// Calls `on_stalled`, which must close the socket, once a client has not read for `patience`.
  ReplyWriter(asio::local::stream_protocol::socket& socket, std::function<void()> on_stalled,
              std::chrono::milliseconds patience = usual_patience)
      : socket_(socket),
        timer_(socket.get_executor()),
        on_stalled_(std::move(on_stalled)),
        patience_(patience) {}

  [[nodiscard]] asio::awaitable<error_code> write(std::string_view text);
  [[nodiscard]] asio::awaitable<error_code> write(std::vector<asio::const_buffer> buffers);

 private:
  struct CountWritten;

  /// Shows whether a client reads. If it does, more is written over time, or less is left to read.
  struct Progress {
    std::size_t written = 0;
    int unread = 0;
  };
  [[nodiscard]] Progress progress() const;
  void watch(Progress before);

  asio::local::stream_protocol::socket& socket_;
  asio::steady_timer timer_;
  std::function<void()> on_stalled_;
  std::chrono::milliseconds patience_;
  std::uint64_t write_ = 0;  // number of this write: a timer handler may be for an earlier one
  std::size_t written_ = 0;  // octets of this write
};

}  // namespace meridian::control
