/// Classifies errors of the client library and the server as refusals.
#pragma once

#include "sink/refusal.hpp"

#include <string>
#include <string_view>

#include <nats/nats.h>

namespace meridian::sink {

/// `code` decides if it is not 0, since the server itself gave it. Otherwise `status` decides, and
/// `text` if the status is the same for several kinds.
[[nodiscard]] Refusal refusal_of(natsStatus status, int code, std::string_view text) noexcept;

/// The same for a library function that has just failed on this thread, with the library's text.
/// `what` introduces it: "cannot connect to nats://127.0.0.1:4222".
[[nodiscard]] Rejection last_rejection(std::string_view what, natsStatus status, int code = 0);

/// Strips the location in the library's source with which the library begins its texts.
[[nodiscard]] std::string_view without_place(std::string_view text) noexcept;

}  // namespace meridian::sink
