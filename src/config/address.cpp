#include "config/address.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/system/error_code.hpp>
#include <fmt/format.h>

#include <optional>
#include <string>

namespace meridian::config {

runtime::HostPort read_address(const Reader& reader, std::string_view key,
                               const Reader::Json& value, std::string_view or_else) {
  std::optional<runtime::HostPort> target;
  if (value.is_string()) {
    target = runtime::read_host_port(value.get_ref<const std::string&>());
  }
  boost::system::error_code bad_address;
  if (target) {
    const auto address = boost::asio::ip::make_address(target->host, bad_address);
    bad_address = bad_address || address.is_v6() != target->bracketed
                      ? boost::asio::error::invalid_argument
                      : boost::system::error_code{};
  }
  if (!target || bad_address) {
    reader.fail(key,
                fmt::format("must be an address and a port, such as \"127.0.0.1:7400\" or "
                            "\"[::1]:7400\"{}",
                            or_else),
                value);
  }
  return *target;
}

}  // namespace meridian::config
