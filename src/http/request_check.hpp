/// Decides which requests are refused, whatever they ask for.
#pragma once

#include "http/host.hpp"
#include "http/request.hpp"
#include "http/response.hpp"

#include <meridian/errors.hpp>

#include <boost/asio/ip/address.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>

#include <optional>
#include <string>
#include <vector>

namespace meridian::http {

namespace asio = boost::asio;
namespace beast = boost::beast;

/// Judges the requests of one connection. Has no I/O. `names` must outlive it.
class RequestCheck {
 public:
  using Message = beast::http::request<beast::http::empty_body>;

  /// `names` are the configured ones (`http.names`), `local` is the address that the client
  /// connected to.
  RequestCheck(const std::vector<std::string>& names, asio::ip::address local)
      : names_(names), local_(local) {}

  /// The refusal of a request, or of input that could not be read as one. Nothing if the server
  /// carries out the request, or if the client has gone. May end the connection
  /// (`Request::keep_alive`).
  [[nodiscard]] std::optional<Response> refusal_of(Request& request, const Message& message,
                                                   const error_code& read_error) const;

 private:
  /// Judges the Host header, and the authority if the target is an absolute URL.
  [[nodiscard]] HostVerdict judge_hosts(const Message& message) const;

  const std::vector<std::string>& names_;
  asio::ip::address local_;
};

}  // namespace meridian::http
