/// What the client library and the server say, as refusals.
#pragma once

#include "sink/refusal.hpp"

#include <string>
#include <string_view>

#include <nats/nats.h>

namespace meridian::sink {

/// `code` counts where there is one: it is the server's own word. `text` decides where both are the
/// same for several kinds.
[[nodiscard]] Refusal refusal_of(natsStatus status, int code, std::string_view text) noexcept;

/// The same for a function of the library that has just failed on this thread, with the library's
/// text. `what`: "cannot connect to nats://127.0.0.1:4222".
[[nodiscard]] Rejection last_rejection(std::string_view what, natsStatus status, int code = 0);

/// Without the place in the library's source that it begins its texts with.
[[nodiscard]] std::string_view without_place(std::string_view text) noexcept;

}  // namespace meridian::sink
