#include "ctl/client.hpp"

#include "runtime/json_scan.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

namespace meridian::ctl {

namespace asio = boost::asio;

namespace {

std::runtime_error failure(const std::string& path, const std::string& what,
                           const boost::system::error_code& ec) {
  return std::runtime_error(fmt::format("control socket {}: {}: {}", path, what, ec.message()));
}

}  // namespace

Client::Client(std::string path) : path_(std::move(path)) {
  connect();
}

Client::Client(std::string path, std::chrono::seconds patience)
    : path_(std::move(path)), patience_(patience) {
  connect();
}

void Client::connect() {
  boost::system::error_code ec;
  socket_.close(ec);
  received_.clear();
  try {
    const asio::local::stream_protocol::endpoint endpoint(path_);
    socket_.open(endpoint.protocol(), ec);
    if (patience_) {
      // If many clients already wait to be accepted, connecting waits, too.
      const timeval time{.tv_sec = patience_->count(), .tv_usec = 0};
      ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
    }
    socket_.connect(endpoint, ec);
  } catch (const boost::system::system_error& error) {
    ec = error.code();  // a path that is too long
  }
  if (ec) {
    throw failure(path_, "cannot connect (is meridiand running?)", ec);
  }
}

Client::Json Client::call(const std::string& method, const Json& params) {
  send(method, params);
  return result_of(read_object());
}

Client::Json Client::drain_binary(Json params, const OnOctets& on_octets) {
  params["format"] = "binary";
  Json result = call("drain", params);
  read_octets(result.at("bytes").get<std::uint64_t>(), on_octets);
  return result;
}

Client::Json Client::tail(const Json& params, const OnMessage& on_message) {
  send("tail", params);
  const bool binary = params.value("format", "") == "binary";
  for (;;) {
    Json object = read_object();
    if (!object.contains("method")) {
      return result_of(std::move(object));
    }
    const Json& message = object.at("params");
    std::vector<std::byte> octets;
    if (binary) {
      read_octets(message.at("bytes").get<std::uint64_t>(), [&](std::span<const std::byte> part) {
        octets.insert(octets.end(), part.begin(), part.end());
      });
    }
    on_message(message, octets);
  }
}

bool Client::was_closed() {
  // If nothing has come and the connection is open, recv fails. It returns 0 at the end of the
  // connection, or 1 for an octet of the daemon's last words.
  char octet = 0;
  return !received_.empty() ||
         ::recv(socket_.native_handle(), &octet, 1, MSG_PEEK | MSG_DONTWAIT) >= 0;
}

void Client::send(const std::string& method, const Json& params) {
  const Json request = {
      {"jsonrpc", "2.0"}, {"id", ++last_id_}, {"method", method}, {"params", params}};
  if (last_id_ > 1 && was_closed()) {
    connect();
  }
  boost::system::error_code ec;
  asio::write(socket_, asio::buffer(request.dump() + "\n"), ec);
  // A daemon that refuses this client has said why, and may already have closed the connection.
  if (ec && ec != asio::error::broken_pipe) {
    throw failure(path_, "cannot send", ec);
  }
}

Client::Json Client::read_object() {
  const std::string line = read_line();
  Json object;
  if (!runtime::is_nested_deeper(line, runtime::deepest_answer)) {
    object = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  }
  if (!object.is_object()) {
    throw std::runtime_error(fmt::format("control socket {}: the answer is not JSON-RPC", path_));
  }
  return object;
}

Client::Json Client::result_of(Json reply) {
  if (reply.contains("error")) {
    const Json& error = reply["error"];
    throw RequestFailed(error.value("code", 0), error.value("message", "unknown error"));
  }
  return std::move(reply["result"]);
}

void Client::read_octets(std::uint64_t count, const OnOctets& on_octets) {
  while (count > 0) {
    if (received_.empty()) {
      read_more();
    }
    const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(count, received_.size()));
    on_octets(std::as_bytes(std::span(received_).first(part)));
    received_.erase(0, part);
    count -= part;
  }
}

std::string Client::read_line() {
  std::size_t searched = 0;
  for (;;) {
    const std::size_t end = received_.find('\n', searched);
    if (end != std::string::npos) {
      std::string line = received_.substr(0, end);
      received_.erase(0, end + 1);
      return line;
    }
    searched = received_.size();
    read_more();
  }
}

void Client::wait_for_more() {
  pollfd waiting{.fd = socket_.native_handle(), .events = POLLIN, .revents = 0};
  const std::chrono::milliseconds time = *patience_;
  if (::poll(&waiting, 1, static_cast<int>(time.count())) == 0) {
    throw std::runtime_error(fmt::format("control socket {}: the daemon has not answered for {} s",
                                         path_, patience_->count()));
  }
}

void Client::read_more() {
  if (patience_) {
    wait_for_more();
  }
  constexpr std::size_t read_bytes = 256 * 1024;
  const std::size_t old_size = received_.size();
  received_.resize(old_size + read_bytes);
  boost::system::error_code ec;
  const std::size_t bytes =
      socket_.read_some(asio::buffer(received_.data() + old_size, read_bytes), ec);
  received_.resize(old_size + bytes);
  if (ec) {
    throw failure(path_, "the daemon ended the connection", ec);
  }
}

}  // namespace meridian::ctl
