/// A plain socket, as any client of the daemon uses it.
#pragma once

#include "integration/harness/deadlines.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace meridian::test {

/// A connected stream socket on which no call waits forever: a call throws std::runtime_error after
/// `patience` without progress, and if the connection breaks.
class StreamSocket {
 public:
  /// Connects to a Unix socket.
  explicit StreamSocket(const std::string& path);
  /// Connects to a port of 127.0.0.1.
  explicit StreamSocket(std::uint16_t port);
  StreamSocket(StreamSocket&& other) noexcept;
  StreamSocket& operator=(StreamSocket&&) = delete;
  ~StreamSocket() { close(); }

  void send(std::string_view octets);

  /// Sends until the peer has taken nothing for `quiet`, or has taken everything. Returns how many
  /// octets it has taken.
  std::size_t send_until_blocked(std::string_view octets, std::chrono::milliseconds quiet);

  /// Reads at least one octet, or "" at the orderly end of the stream.
  [[nodiscard]] std::string read_some();

  /// Reads to the orderly end of the stream.
  std::string read_to_end();

  /// Waits until the other side ends the connection, in an orderly way or not. Returns what came
  /// before.
  std::string wait_closed();

  void half_close();
  /// Ends the connection with a reset instead of an orderly end of the stream.
  void reset() noexcept;
  void close() noexcept;
  /// Closes the connection without telling the peer, like a machine that loses its power. If the
  /// process is not permitted to do so, does nothing and returns false.
  [[nodiscard]] bool vanish() noexcept;

  /// The address of this end, as the daemon names its peer: "127.0.0.1:43210".
  [[nodiscard]] std::string local_address() const;

 private:
  enum class Read { data, end, broken };
  Read read_into(std::string& out);
  void wait_for(short events, const char* what) const;

  int socket_ = -1;
};

}  // namespace meridian::test
