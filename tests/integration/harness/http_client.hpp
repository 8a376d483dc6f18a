/// A client of the HTTP server.
#pragma once

#include "integration/harness/daemon.hpp"
#include "integration/harness/stream_socket.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace meridian::test {

struct HttpAnswer {
  int status = 0;
  std::map<std::string, std::string> headers;  ///< by name, in lower case
  std::string body;                            ///< reassembled if it came in chunks
};

/// The port of a daemon's HTTP server, as its log says.
[[nodiscard]] std::uint16_t http_port(const Daemon& daemon);

/// One connection to the HTTP server.
class HttpClient {
 public:
  explicit HttpClient(std::uint16_t port) : socket_(port) {}

  /// Sends a request and reads its answer. The connection stays open.
  [[nodiscard]] HttpAnswer request(std::string_view method, std::string_view target);

  /// Reads the answer to a request that the test has sent with `socket`.
  [[nodiscard]] HttpAnswer read_answer(bool has_body = true);

  [[nodiscard]] StreamSocket& socket() noexcept { return socket_; }

 private:
  std::string read_line();
  std::string read_octets(std::size_t count);

  StreamSocket socket_;
  std::string received_;
};

/// Makes a GET request over a connection of its own.
[[nodiscard]] HttpAnswer http_get(const Daemon& daemon, std::string_view target);

/// The samples of /metrics: the text before each value, and the value.
[[nodiscard]] std::map<std::string, double> metrics_of(const Daemon& daemon);

}  // namespace meridian::test
