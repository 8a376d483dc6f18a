/// What all connections have in common.
#pragma once

#include "nats/user_info.hpp"

#include <nats/nats.h>

namespace meridian::nats {

/// Connects, and tries again if the server refuses good credentials, because version 3.4.1 of the
/// library omits a signature that begins with a zero octet: of 256 attempts one is refused. Blocks.
[[nodiscard]] natsStatus connect(natsConnection** connection, natsOptions* options,
                                 bool with_credentials);

/// Passes user and password to the library, apart from the URL, which it does not decode.
[[nodiscard]] natsStatus set_user(natsOptions* options, const UserInfo& user);

}  // namespace meridian::nats
