#include "nats/errors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace meridian::nats {

namespace {

bool has(std::string_view text, std::string_view part) {
  const auto same = [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) ==
           std::tolower(static_cast<unsigned char>(b));
  };
  return !std::ranges::search(text, part, same).empty();
}

/// For the error codes in JetStream's answers.
Refusal refusal_of_code(int code) noexcept {
  switch (code) {
    case JSStreamNotFoundErr:
      return Refusal::stream_missing;
    case JSStreamNotMatchErr:
    case JSStreamSubjectOverlapErr:
      return Refusal::subject_not_in_stream;
    case JSStreamMessageExceedsMaximumErr:
      return Refusal::message_too_large;
    // JSStreamStoreFailedErr is about one message that could not be stored. Its text is "maximum
    // bytes exceeded", or the file system's error.
    case JSAccountResourcesExceededErr:
    case JSInsufficientResourcesErr:
    case JSMemoryResourcesExceededErr:
    case JSStorageResourcesExceededErr:
    case JSStreamStoreFailedErr:
      return Refusal::stream_full;
    case JSClusterNotAvailErr:
    case JSClusterNotLeaderErr:
    case JSClusterIncompleteErr:
    case JSStreamOfflineErr:
      return Refusal::stream_unavailable;
    case JSNotEnabledErr:
    case JSNotEnabledForAccountErr:
    case JSNoAccountErr:
      return Refusal::not_enabled;
    default:
      return Refusal::other;
  }
}

}  // namespace

Refusal refusal_of(natsStatus status, int code, std::string_view text) noexcept {
  if (code != 0) {
    return refusal_of_code(code);
  }
  switch (status) {
    case NATS_CONNECTION_AUTH_FAILED:
    case NATS_NOT_PERMITTED:
      return Refusal::authorization;
    case NATS_SSL_ERROR:
    case NATS_SECURE_CONNECTION_WANTED:
    case NATS_SECURE_CONNECTION_REQUIRED:
      return Refusal::tls;
    case NATS_MAX_PAYLOAD:
      return Refusal::message_too_large;
    case NATS_TIMEOUT:
      return Refusal::no_acknowledgement;
    case NATS_NO_RESPONDERS:
      return Refusal::stream_unavailable;
    case NATS_NO_SERVER:
    case NATS_IO_ERROR:
    case NATS_SYS_ERROR:
    case NATS_CONNECTION_CLOSED:
    case NATS_CONNECTION_DISCONNECTED:
    case NATS_STALE_CONNECTION:
      return Refusal::unreachable;
    default:
      break;
  }
  // What a server says before it ends a connection comes as text, without a status. So does what is
  // wrong with a credentials file ("no nkey user seed found in …").
  if (has(text, "authorization") || has(text, "authentication") || has(text, "permissions") ||
      has(text, "nkey") || has(text, "jwt")) {
    return Refusal::authorization;
  }
  return has(text, "tls") ? Refusal::tls : Refusal::other;
}

std::string_view without_place(std::string_view text) noexcept {
  const std::size_t end = text.find("): ");
  return text.starts_with('(') && end != std::string_view::npos ? text.substr(end + 3) : text;
}

std::string describe(natsStatus status) {
  natsStatus last = NATS_OK;
  const char* const error = nats_GetLastError(&last);
  const std::string_view detail = last == status && error != nullptr ? without_place(error) : "";
  const std::string_view text = natsStatus_GetText(status);
  if (detail.empty() || detail == text) {
    return std::string(text);
  }
  return status == NATS_ERR ? std::string(detail) : fmt::format("{}: {}", text, detail);
}

Rejection last_rejection(std::string_view what, natsStatus status, int code) {
  natsStatus last = NATS_OK;
  const char* detail = nats_GetLastError(&last);
  // The library keeps the text of its last failure, which may be another one than this. A failure
  // to connect leaves a text without a status.
  const bool fits = detail != nullptr && *detail != '\0' && (last == status || last == NATS_OK);
  const std::string_view text = fits ? without_place(detail) : natsStatus_GetText(status);
  return {refusal_of(status, code, text), fmt::format("{}: {}", what, text)};
}

}  // namespace meridian::nats
