/// Classifies errors of the client library and the server as refusals.
#pragma once

#include "nats/refusal.hpp"

#include <string>
#include <string_view>

#include <nats/nats.h>

namespace meridian::nats {

/// `code` decides if it is not 0, since the server itself gave it. Otherwise `status` decides, and
/// `text` if the status is the same for several kinds.
[[nodiscard]] Refusal refusal_of(natsStatus status, int code, std::string_view text) noexcept;

/// The same for a library function that has just failed on this thread, with the library's text.
/// `what` introduces it: "cannot connect to nats://127.0.0.1:4222".
[[nodiscard]] Rejection last_rejection(std::string_view what, natsStatus status, int code = 0);

/// What went wrong in the call of the library that has just failed on this thread, in the words of
/// the server or the library.
[[nodiscard]] std::string describe(natsStatus status);

/// Strips the location in the library's source with which the library begins its texts.
[[nodiscard]] std::string_view without_place(std::string_view text) noexcept;

}  // namespace meridian::nats
