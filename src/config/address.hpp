/// Reads addresses to listen on out of a configuration.
#pragma once

#include "config/reader.hpp"
#include "runtime/host_port.hpp"

#include <string_view>

namespace meridian::config {

/// Reads "127.0.0.1:7400" or "[::1]:7400", a numeric address and a port. Throws Error. If another
/// value is allowed, too, `or_else` says so at the end of the message.
[[nodiscard]] runtime::HostPort read_address(const Reader& reader, std::string_view key,
                                             const Reader::Json& value,
                                             std::string_view or_else = "");

}  // namespace meridian::config
