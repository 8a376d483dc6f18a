#include "sink/jetstream/stored_message.hpp"

#include "nats/errors.hpp"

#include <nlohmann/json.hpp>
#include <openssl/evp.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>

namespace meridian::sink::jetstream {

namespace {

using Json = nlohmann::json;

constexpr std::string_view id_header = "\r\nNats-Msg-Id:";

/// A string member, or "" if there is none.
std::string_view text_of(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string()
             ? std::string_view(found->get_ref<const std::string&>())
             : std::string_view();
}

int number_of(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number_integer() ? found->get<int>() : 0;
}

/// No value if the text is not base64.
std::optional<std::string> decode_base64(std::string_view text) {
  std::string octets(text.size() / 4 * 3, '\0');
  const int count = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(octets.data()),
                                    reinterpret_cast<const unsigned char*>(text.data()),
                                    static_cast<int>(text.size()));
  if (text.size() % 4 != 0 || count < 0) {
    return std::nullopt;
  }
  // The count includes the padding.
  const std::size_t padding = text.ends_with("==") ? 2 : (text.ends_with('=') ? 1 : 0);
  octets.resize(static_cast<std::size_t>(count) - padding);
  return octets;
}

std::string id_in(std::string_view headers) {
  const std::size_t at = headers.find(id_header);
  if (at == std::string_view::npos) {
    return "";
  }
  std::string_view value = headers.substr(at + id_header.size());
  value = value.substr(0, value.find("\r\n"));
  value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
  return std::string(value);
}

nats::Result<std::optional<StoredMessage>> failure(const Json& error) {
  const int code = number_of(error, "err_code");
  if (code == JSNoMessageFoundErr) {
    return std::optional<StoredMessage>();
  }
  const std::string_view text = text_of(error, "description");
  return nats::Rejection{nats::refusal_of(NATS_ERR, code, text), std::string(text)};
}

}  // namespace

bool is_same(const StoredMessage& stored, const Message& message) {
  if (stored.id != message.id || stored.payload.size() != message.bytes) {
    return false;
  }
  std::size_t at = 0;
  return std::ranges::all_of(message.parts, [&](const FrameBatch& part) {
    const auto octets = std::as_bytes(std::span(stored.payload)).subspan(at, part.bytes());
    at += part.bytes();
    return std::ranges::equal(octets, part.octets());
  });
}

nats::Result<std::optional<StoredMessage>> read_stored(std::string_view answer) {
  constexpr bool no_exceptions = false;
  const Json json = Json::parse(answer, nullptr, no_exceptions);
  if (json.is_object()) {
    if (const auto error = json.find("error"); error != json.end() && error->is_object()) {
      return failure(*error);
    }
    if (const auto message = json.find("message"); message != json.end() && message->is_object()) {
      const auto headers = decode_base64(text_of(*message, "hdrs"));
      auto payload = decode_base64(text_of(*message, "data"));
      if (headers && payload) {
        return std::optional(StoredMessage{.id = id_in(*headers), .payload = *std::move(payload)});
      }
    }
  }
  return nats::Rejection{nats::Refusal::bad_acknowledgement, "the answer cannot be read"};
}

}  // namespace meridian::sink::jetstream
