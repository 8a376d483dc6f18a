/// What all connections have in common.
#pragma once

#include "nats/user_info.hpp"

#include <nats/nats.h>

namespace meridian::nats {

/// Connects. If the server refuses credentials, tries up to twice more: version 3.4.1 of the
/// library omits a signature that begins with a zero octet, so of 256 attempts with good
/// credentials one is refused. Blocks.
[[nodiscard]] natsStatus connect(natsConnection** connection, natsOptions* options,
                                 bool with_credentials);

/// Passes user and password to the library. They are not part of the URL, since the library does
/// not decode URLs.
[[nodiscard]] natsStatus set_user(natsOptions* options, const UserInfo& user);

}  // namespace meridian::nats
