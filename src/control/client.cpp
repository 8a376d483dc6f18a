#include "control/client.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace meridian::control {

namespace asio = boost::asio;

namespace {

std::runtime_error failure(const std::string& path, const std::string& what,
                           const boost::system::error_code& ec) {
  return std::runtime_error(fmt::format("control socket {}: {}: {}", path, what, ec.message()));
}

}  // namespace

Client::Client(std::string path) : path_(std::move(path)) {
  boost::system::error_code ec;
  try {
    socket_.connect(asio::local::stream_protocol::endpoint(path_), ec);
  } catch (const boost::system::system_error& error) {
    ec = error.code();  // a path that is too long
  }
  if (ec) {
    throw failure(path_, "cannot connect (does meridiand run?)", ec);
  }
}

Client::Json Client::call(const std::string& method, const Json& params) {
  const Json request = {
      {"jsonrpc", "2.0"}, {"id", ++last_id_}, {"method", method}, {"params", params}};
  boost::system::error_code ec;
  asio::write(socket_, asio::buffer(request.dump() + "\n"), ec);
  // A daemon that has refused this client has said why, and may have closed already.
  if (ec && ec != asio::error::broken_pipe) {
    throw failure(path_, "cannot send", ec);
  }
  Json reply = Json::parse(read_line(), nullptr, /*allow_exceptions=*/false);
  if (!reply.is_object()) {
    throw std::runtime_error(fmt::format("control socket {}: the answer is not JSON-RPC", path_));
  }
  if (reply.contains("error")) {
    const Json& error = reply["error"];
    throw RequestFailed(error.value("code", 0), error.value("message", "unknown error"));
  }
  return std::move(reply["result"]);
}

Client::Json Client::drain_binary(Json params, const OnOctets& on_octets) {
  params["format"] = "binary";
  Json result = call("drain", params);
  for (auto left = result.at("bytes").get<std::uint64_t>(); left > 0;) {
    if (received_.empty()) {
      read_more();
    }
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(left, received_.size()));
    on_octets(std::as_bytes(std::span(received_).first(count)));
    received_.erase(0, count);
    left -= count;
  }
  return result;
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

void Client::read_more() {
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

}  // namespace meridian::control
