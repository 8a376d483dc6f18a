#include "runtime/host_port.hpp"

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

std::string to_text(const boost::asio::ip::tcp::endpoint& endpoint) {
  std::ostringstream text;
  text << endpoint;
  return text.str();
}

}  // namespace meridian::runtime
