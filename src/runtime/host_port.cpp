#include "runtime/host_port.hpp"

#include <boost/system/error_code.hpp>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <sstream>
#include <system_error>

namespace meridian::runtime {

std::optional<HostPort> read_host_port(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) {
    return std::nullopt;
  }
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return std::nullopt;
  }
  HostPort result{.host = std::string(host), .port = 0, .bracketed = bracketed};
  const char* const end = text.data() + text.size();
  const auto port = std::from_chars(text.data() + colon + 1, end, result.port);
  if (port.ec != std::errc{} || port.ptr != end) {
    return std::nullopt;
  }
  return result;
}

bool is_host(std::string_view text) {
  if (text.starts_with('[')) {
    return host_address(text).has_value();
  }
  constexpr std::size_t longest = 253;
  return !text.empty() && text.size() <= longest && text.front() != '.' &&
         std::ranges::all_of(text, [](unsigned char letter) {
           return std::isalnum(letter) != 0 || letter == '-' || letter == '.' || letter == '_';
         });
}

std::optional<boost::asio::ip::address> host_address(std::string_view host) {
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  boost::system::error_code failed;
  const auto address =
      boost::asio::ip::make_address(bracketed ? host.substr(1, host.size() - 2) : host, failed);
  return failed || address.is_v6() != bracketed ? std::nullopt : std::optional(address);
}

std::string to_text(const boost::asio::ip::tcp::endpoint& endpoint) {
  std::ostringstream text;
  text << endpoint;
  return text.str();
}

}  // namespace meridian::runtime
