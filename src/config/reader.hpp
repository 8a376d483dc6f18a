/// Reads JSON objects strictly: a key that is not asked for is an error.
#pragma once

#include "config/error.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace meridian::config {

/// One object of the configuration. Each `read` leaves its target unchanged if the key is missing,
/// and throws Error if the value is not allowed. `finish` throws Error if there are keys that
/// were not read.
class Reader {
 public:
  using Json = nlohmann::json;

  /// `path` names the object in messages; "" is the whole file.
  Reader(const Json& json, std::string path);

  /// An integer from `least` to `most`.
  template <std::unsigned_integral T>
  void read(std::string_view key, T& target, std::uint64_t least, std::uint64_t most) {
    if (const Json* value = find(key)) {
      target = static_cast<T>(integer(key, *value, least, most));
    }
  }

  void read(std::string_view key, std::string& target);

  /// True or false.
  void read(std::string_view key, bool& target);

  /// A string, or null, which leaves the target unchanged.
  void read_or_null(std::string_view key, std::optional<std::string>& target);

  /// One of a few names.
  template <typename Enum>
  void read(std::string_view key, Enum& target,
            std::span<const std::pair<std::string_view, Enum>> names) {
    const Json* const value = find(key);
    if (value == nullptr) {
      return;
    }
    std::string allowed;
    for (const auto& [name, meaning] : names) {
      if (*value == name) {
        target = meaning;
        return;
      }
      allowed += fmt::format("{}\"{}\"", allowed.empty() ? "" : ", ", name);
    }
    fail(key, fmt::format("must be one of {}", allowed), *value);
  }

  /// The value of a key, for a caller that reads it itself; nullptr if the key is missing.
  [[nodiscard]] const Json* find(std::string_view key);

  /// The path of a key of this object.
  [[nodiscard]] std::string path_of(std::string_view key) const;

  void finish() const;

  [[noreturn]] void fail(std::string_view key, std::string_view what, const Json& value) const;

 private:
  [[nodiscard]] std::uint64_t integer(std::string_view key, const Json& value, std::uint64_t least,
                                      std::uint64_t most) const;

  const Json& json_;
  std::string path_;
  std::vector<std::string> known_;
};

}  // namespace meridian::config
