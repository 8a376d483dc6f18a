/// A blocking client of the control socket, for tools.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <nlohmann/json.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>

namespace meridian::ctl {

/// The daemon has answered a request with an error.
class RequestFailed : public std::runtime_error {
 public:
  RequestFailed(int code, const std::string& message) : std::runtime_error(message), code_(code) {}
  [[nodiscard]] int code() const noexcept { return code_; }

 private:
  int code_;
};

/// Not thread-safe. Calls throw RequestFailed if the daemon answers with an error. They throw
/// std::runtime_error, which names the socket, if the connection fails.
class Client {
 public:
  using Json = nlohmann::ordered_json;
  using OnOctets = std::function<void(std::span<const std::byte>)>;

  /// Waits for the daemon as long as it takes.
  explicit Client(std::string path);
  /// Waits at most `patience` for the connection, and as long for each part of an answer.
  Client(std::string path, std::chrono::seconds patience);

  /// Sends a request and returns its result.
  [[nodiscard]] Json call(const std::string& method, const Json& params = Json::object());

  /// Sends a binary drain, and passes the octets on as they arrive. Returns the result in the line
  /// of the reply.
  Json drain_binary(Json params, const OnOctets& on_octets);

  /// Sends `tail`, and passes each message on as it arrives. In the binary format, `octets` are the
  /// ones that follow the message. Returns the final result.
  using OnMessage = std::function<void(const Json& message, std::span<const std::byte> octets)>;
  Json tail(const Json& params, const OnMessage& on_message);

 private:
  void connect();
  /// Whether the daemon has ended the connection since the last answer, as it does if a client is
  /// idle for a while. If so, `send` reconnects, so that a tool that writes frames to a slow pipe
  /// can go on.
  [[nodiscard]] bool was_closed();
  void send(const std::string& method, const Json& params);
  [[nodiscard]] Json read_object();
  /// The result of a reply. Throws RequestFailed.
  [[nodiscard]] static Json result_of(Json reply);
  void read_octets(std::uint64_t count, const OnOctets& on_octets);
  [[nodiscard]] std::string read_line();
  void read_more();
  void wait_for_more();

  std::string path_;
  std::optional<std::chrono::seconds> patience_;
  boost::asio::io_context context_;
  boost::asio::local::stream_protocol::socket socket_{context_};
  std::string received_;
  std::uint64_t last_id_ = 0;
};

}  // namespace meridian::ctl
