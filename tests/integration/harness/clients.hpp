/// Clients of the control socket, and peers that send telemetry.
#pragma once

#include "integration/harness/frames.hpp"
#include "integration/harness/stream_socket.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace meridian::test {

using Json = nlohmann::json;

/// A client of the control socket.
class ControlClient {
 public:
  explicit ControlClient(const std::string& path) : socket_(path) {}

  void send(std::string_view octets) { socket_.send(octets); }
  void send_line(std::string_view line) {
    std::string whole(line);
    whole += '\n';
    send(whole);
  }

  /// The next line, without its newline.
  [[nodiscard]] std::string read_line();
  [[nodiscard]] Json read_json();
  [[nodiscard]] std::string read_octets(std::size_t count);

  /// Sends a line and returns the answer.
  [[nodiscard]] Json ask(std::string_view line);

  /// Sends a JSON-RPC request and returns its result. Throws std::runtime_error if the answer is an
  /// error.
  Json call(std::string_view method, const Json& params = Json::object());

  /// A binary drain: the result in the reply, and the octets that follow the reply.
  struct BinaryDrain {
    Json result;
    std::string octets;
  };
  [[nodiscard]] BinaryDrain drain_binary(Json params = Json::object());

  /// Drains everything in the buffer, or everything of a satellite.
  [[nodiscard]] std::vector<NativeFrame> drain_all(const Json& params = Json::object());

  [[nodiscard]] StreamSocket& socket() noexcept { return socket_; }
  /// The octets that were read but are not used yet.
  [[nodiscard]] const std::string& unread() const noexcept { return received_; }

 private:
  void read_more();

  StreamSocket socket_;
  std::string received_;
};

[[nodiscard]] std::string rpc(std::string_view method, const Json& params = Json::object(),
                              const Json& id = 1);

/// The error code in an answer, or 0 if it has a result.
[[nodiscard]] int error_code_of(const Json& answer);
[[nodiscard]] std::string error_message_of(const Json& answer);

/// A peer that sends telemetry.
class UplinkClient {
 public:
  explicit UplinkClient(std::uint16_t port) : socket_(port) {}

  void send(std::string_view octets) { socket_.send(octets); }
  void send(const std::vector<NativeFrame>& frames) { send(encode(frames)); }

  /// Half-closes, and waits until the daemon has taken everything and closes the connection.
  void finish();

  /// "127.0.0.1:43210", as the daemon names this peer.
  [[nodiscard]] std::string address() const { return socket_.local_address(); }
  [[nodiscard]] StreamSocket& socket() noexcept { return socket_; }

 private:
  StreamSocket socket_;
};

/// Sends everything over a connection of its own, and waits until the daemon has it.
void send_whole(std::uint16_t port, std::string_view octets);
void send_whole(std::uint16_t port, const std::vector<NativeFrame>& frames);

}  // namespace meridian::test
