/// Classifies errors of the client library and the server as refusals.
#pragma once

#include "nats/refusal.hpp"

#include <string>
#include <string_view>

#include <nats/nats.h>

namespace meridian::nats {

/// If `code` is not 0 it decides, since it comes from the server itself. Otherwise `status`
/// decides, or `text` if several kinds have the same status.
[[nodiscard]] Refusal refusal_of(natsStatus status, int code, std::string_view text) noexcept;

/// The same for a library function that has just failed on this thread. The text is the library's,
/// introduced by `what`: "cannot connect to nats://127.0.0.1:4222".
[[nodiscard]] Rejection last_rejection(std::string_view what, natsStatus status, int code = 0);

/// What went wrong in the call of the library that has just failed on this thread, in the words of
/// the server or the library.
[[nodiscard]] std::string describe(natsStatus status);

/// The text without the place in the library's source, with which the library begins its texts.
[[nodiscard]] std::string_view without_place(std::string_view text) noexcept;

}  // namespace meridian::nats
