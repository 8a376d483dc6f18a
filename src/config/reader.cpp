#include "config/reader.hpp"

#include "config/strict_json.hpp"
#include "runtime/printable.hpp"

#include <algorithm>

namespace meridian::config {

namespace {

using Json = Reader::Json;

std::string shown(const Json& value) {
  constexpr std::size_t longest = 60;
  std::string text =
      runtime::hide_passwords(value.dump(-1, ' ', false, Json::error_handler_t::replace));
  if (text.size() > longest) {
    text = text.substr(0, longest) + "…";
  }
  return text;
}

/// Whether there are control characters: those of ASCII, or those that UTF-8 encodes as C2 80 to C2
/// 9F.
bool has_control_characters(std::string_view text) {
  unsigned char before = 0;
  for (const char each : text) {
    const auto c = static_cast<unsigned char>(each);
    if (c < 0x20 || c == 0x7F || (before == 0xC2 && c < 0xA0)) {
      return true;
    }
    before = c;
  }
  return false;
}

}  // namespace

Reader::Reader(const Json& json, std::string path) : json_(json), path_(std::move(path)) {
  if (!json.is_object()) {
    throw Error(fmt::format("{}: must be an object, is {}",
                            path_.empty() ? "the configuration" : path_, shown(json)));
  }
}

void Reader::read_or_null(std::string_view key, std::optional<std::string>& target) {
  const Json* const value = find(key);
  if (value == nullptr || value->is_null()) {
    return;
  }
  if (!value->is_string()) {
    fail(key, "must be a string or null", *value);
  }
  read(key, target.emplace());
}

void Reader::read(std::string_view key, std::string& target) {
  if (const Json* value = find(key)) {
    if (!value->is_string()) {
      fail(key, "must be a string", *value);
    }
    target = value->get<std::string>();
    if (has_control_characters(target)) {
      fail(key, "must not contain control characters", *value);
    }
  }
}

void Reader::read(std::string_view key, bool& target) {
  if (const Json* value = find(key)) {
    if (!value->is_boolean()) {
      fail(key, "must be true or false", *value);
    }
    target = value->get<bool>();
  }
}

const Json* Reader::find(std::string_view key) {
  if (std::ranges::find(known_, key) == known_.end()) {
    known_.emplace_back(key);
  }
  const auto found = json_.find(key);
  return found == json_.end() ? nullptr : &*found;
}

std::string Reader::path_of(std::string_view key) const {
  return path_.empty() ? shown_key(key) : fmt::format("{}.{}", path_, shown_key(key));
}

void Reader::finish() const {
  for (const auto& [key, value] : json_.items()) {
    if (std::ranges::find(known_, key) == known_.end()) {
      throw Error(
          fmt::format("{}: unknown key; allowed here: {}", path_of(key), fmt::join(known_, ", ")));
    }
  }
}

void Reader::fail(std::string_view key, std::string_view what, const Json& value) const {
  throw Error(fmt::format("{}: {}, is {}", path_of(key), what, shown(value)));
}

std::uint64_t Reader::integer(std::string_view key, const Json& value, std::uint64_t least,
                              std::uint64_t most) const {
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() < least ||
      value.get<std::uint64_t>() > most) {
    fail(key, fmt::format("must be an integer from {} to {}", least, most), value);
  }
  return value.get<std::uint64_t>();
}

}  // namespace meridian::config
